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
  const id = /^devices\/([1-9]\d{0,14})$/.exec(path)?.[1];
  switch (`${request.method} ${id === undefined ? path : "devices/:id"}`) {
    case "GET devices":
      return Response.json(await devices(deps));
    case "DELETE devices/:id":
      return await revoke(deps, Number(id));
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

/** Every token, newest first. */
async function devices({ store }: AdminDeps) {
  const found = [];
  for (const { id: userId, login, name } of await store.allUsers()) {
    for (const { id, label, createdAt, lastUsedAt } of await store.accessTokensOf(userId)) {
      found.push({ id, login, name, label, createdAt, lastUsedAt });
    }
  }
  return found.sort((a, b) => b.id - a.id);
}

async function revoke({ store, onTokenRemoved, audit }: AdminDeps, id: number): Promise<Response> {
  const token = await store.accessToken(id);
  const user = token && await store.user(token.userId);
  if (user === undefined || !await store.removeAccessToken(user.id, id)) {
    return refuse(
      404,
      `Cannot revoke device ${id}: there is none; "devices list" shows all there are`,
    );
  }
  onTokenRemoved(user.id, id);
  await audit(toUser("token.revoke", user, { token: id, label: token?.label ?? null }));
  return Response.json({ id, login: user.login });
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
