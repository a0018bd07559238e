/** Devices and pairing, for the command line of the same machine. [local 3c] */
import { z } from "zod";
import { NoSuchUserError } from "../db/accounts.ts";
import type { AdminDeps } from "./admin.ts";
import { toUser } from "./audit.ts";

const newCode = z.object({ login: z.string().optional() });

/** Answers an admin route about devices or pairing; undefined if it is about something else. */
export async function deviceRoute(
  request: Request,
  path: string,
  deps: AdminDeps,
): Promise<Response | undefined> {
  const id = /^devices\/([1-9]\d{0,14}|browser-[\w-]{8})$/.exec(path)?.[1];
  switch (`${request.method} ${id === undefined ? path : "devices/:id"}`) {
    case "GET devices":
      return Response.json(await devices(deps));
    case "DELETE devices/:id":
      return await revoke(deps, id as string);
    case "POST pairing": {
      const body = newCode.safeParse(await request.json().catch(() => ({})));
      if (!body.success) return refuse(400, "Cannot make a code: give {login: text} or {}");
      return await code(deps, body.data.login);
    }
    case "POST pairing/unlock":
      if (deps.pairing === undefined) return notLocal();
      deps.pairing.unlock();
      return Response.json({});
    default:
      return undefined;
  }
}

/** Every token and every signed-in browser, the newest first. */
async function devices({ store }: AdminDeps) {
  const found = [];
  for (const { id: userId, login, name } of await store.allUsers()) {
    for (const { id, label, createdAt, lastUsedAt } of await store.accessTokensOf(userId)) {
      found.push({ id: `${id}`, login, name, label, createdAt, lastUsedAt });
    }
    for (const { hash, label, createdAt } of await store.signIn.sessionsOf(userId)) {
      found.push({ id: browserId(hash), login, name, label, createdAt, lastUsedAt: null });
    }
  }
  return found.sort((a, b) => b.createdAt - a.createdAt);
}

/** A browser as people type it: the beginning of the hash that it is kept by. */
function browserId(hash: string): string {
  return `browser-${hash.slice(hash.lastIndexOf("$") + 1).slice(0, 8)}`;
}

async function revoke(deps: AdminDeps, id: string): Promise<Response> {
  const user = id.startsWith("browser-")
    ? await revokeBrowser(deps, id)
    : await revokeToken(deps, Number(id));
  return user === undefined
    ? refuse(404, `Cannot revoke device ${id}: there is none; "devices" shows all there are`)
    : Response.json({ id, login: user.login });
}

async function revokeToken({ store, onTokenRemoved, audit }: AdminDeps, id: number) {
  const token = await store.accessToken(id);
  const user = token && await store.user(token.userId);
  if (user === undefined || !await store.removeAccessToken(user.id, id)) return undefined;
  onTokenRemoved(user.id, id);
  await audit(toUser("token.revoke", user, { token: id, label: token?.label ?? null }));
  return user;
}

/** It signs in no editor any more; the tokens that it has got for some are devices of their own. */
async function revokeBrowser({ store, audit }: AdminDeps, id: string) {
  for (const user of await store.allUsers()) {
    const session = (await store.signIn.sessionsOf(user.id))
      .find(({ hash }) => browserId(hash) === id);
    if (session === undefined) continue;
    await store.signIn.removeSessionOf(user.id, session.hash);
    await audit(toUser("browser.revoke", user, { label: session.label }));
    return user;
  }
  return undefined;
}

async function code({ store, pairing, audit }: AdminDeps, login?: string): Promise<Response> {
  if (pairing === undefined) return notLocal();
  if (login === undefined) return asJson(pairing.current);
  const user = await store.userByLogin(login);
  if (user === undefined) throw new NoSuchUserError(login);
  const made = pairing.forLogin(user.login);
  await audit(toUser("pairing_code.create", user));
  return asJson(made);
}

function asJson({ text, expires }: { readonly text: string; readonly expires: number }): Response {
  return Response.json({ code: text, expiresAt: expires });
}

function notLocal(): Response {
  return refuse(404, "This server pairs no devices: it was not started with serve-local");
}

function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
