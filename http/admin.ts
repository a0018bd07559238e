/** Routes for the command line of the same machine; guarded by the secret in `server.json`. */
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import {
  addToken,
  addUsers,
  changeUser,
  inviteUser,
  listUsers,
  NoSuchUserError,
  removeUser,
  setPassword,
  signOutUser,
} from "../db/accounts.ts";
import type { Pairing } from "../local/port.ts";
import { ApiError } from "./api/endpoint.ts";
import { type Seeded, type SeedTree, seedTrees } from "./api/seeding.ts";
import { type Deed, toUser } from "./audit.ts";
import { deviceRoute } from "./admin_devices.ts";
import { InvalidLoginError } from "../db/login.ts";
import { type Passwords, PasswordsBusyError, WeakPasswordError } from "../db/passwords.ts";
import { LoginTakenError, type Store, StoreUnavailableError, type User } from "../db/store.ts";

/** What the admin routes need of the server. */
export interface AdminDeps {
  readonly store: Store;
  /** Made anew at every start; see `running_server.ts`. */
  readonly adminSecret: string;
  /** Ends what a removed user still has open. */
  readonly onUserRemoved: (userId: number) => void | Promise<void>;
  /** Tells the user's clients that his account is not what it was. */
  readonly onUserChanged: (userId: number) => void;
  /** Ends what a user has open whose tokens are gone. */
  readonly onUserSignedOut: (userId: number) => void;
  /** Ends what one token has opened. */
  readonly onTokenRemoved: (userId: number, tokenId: number) => void;
  /** Undefined outside local mode. */
  readonly pairing: Pairing | undefined;
  readonly passwords: Passwords;
  /** Looks whether they could be made. @throws {ApiError} */
  readonly checkSeed: (trees: readonly SeedTree[]) => Promise<unknown>;
  /** Makes what is missing of channels. */
  readonly seedChannels: (trees: readonly SeedTree[]) => Promise<Seeded>;
  /** Writes down what was done. */
  readonly audit: (deed: Deed) => Promise<void>;
  /** Where browsers reach the server, without a slash at its end. */
  readonly url: string;
  /** Unix milliseconds. */
  now(): number;
}

const prefix = "/internal/admin/";

const newUsers = z.object({ logins: z.array(z.string()).min(1), admin: z.boolean() });
const invitation = z.object({ admin: z.boolean() });
const channels = z.object({ channels: seedTrees, check: z.boolean().default(false) });
const newPassword = z.object({ password: z.string() });
const change = z.strictObject({
  name: z.string().max(200).nullable().exactOptional(),
  admin: z.boolean().exactOptional(),
});

/**
 * Answers a request for an admin route; undefined if it is for something else.
 *
 * | route | answer |
 * |---|---|
 * | `POST /internal/admin/users` `{logins, admin}` | 200 `[{id, login, token}]`, 400, 409 |
 * | `GET /internal/admin/users` | 200 `[{id, login, admin, createdAt}]` |
 * | `POST /internal/admin/users/:login/token` | 200 `{id, login, token}`, 404 |
 * | `POST /internal/admin/users/:login/invitation` `{admin}` | 200 `{id, login, url, expiresAt}` |
 * | `POST /internal/admin/users/:login/password` `{password}` | 200 `{id, login}`, 400, 404 |
 * | `POST /internal/admin/users/:login/signout` | 200 `{id, login}`, 404 |
 * | `PATCH /internal/admin/users/:login` `{name?, admin?}` | 200 `{id, login}`, 400, 404 |
 * | `DELETE /internal/admin/users/:login` | 200 `{id, login}`, 404 |
 * | `POST /internal/admin/channels` `{channels}` | 200 `{channels, members}`, 400, 404, 409 |
 * | `GET /internal/admin/devices` | 200 `[{id, login, label, createdAt, lastUsedAt}]` |
 * | `DELETE /internal/admin/devices/:id` | 200 `{id, login}`, 404 |
 * | `POST /internal/admin/pairing` `{login?}` | 200 `{code, expiresAt}`, 404 |
 * | `POST /internal/admin/pairing/unlock` | 200 `{}`, 404 |
 *
 * Errors are `{"error": "…"}`; 401 for a wrong secret, 503 while the database is away.
 */
export async function handleAdmin(
  request: Request,
  deps: AdminDeps,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith(prefix)) return undefined;
  if (!hasSecret(request, deps.adminSecret)) {
    return refuse(401, "Cannot use the admin routes: wrong or missing secret");
  }
  try {
    const path = pathname.slice(prefix.length);
    return await deviceRoute(request, path, deps) ?? await route(request, path, deps);
  } catch (error) {
    if (error instanceof InvalidLoginError || error instanceof WeakPasswordError) {
      return refuse(400, error.message);
    }
    if (error instanceof NoSuchUserError) return refuse(404, error.message);
    if (error instanceof ApiError) return refuse(error.status, error.message);
    if (error instanceof LoginTakenError) return refuse(409, error.message);
    if (error instanceof StoreUnavailableError || error instanceof PasswordsBusyError) {
      return refuse(503, error.message);
    }
    throw error;
  }
}

async function route(request: Request, path: string, deps: AdminDeps): Promise<Response> {
  const [, encoded, action] =
    /^users(?:\/([^/]+)(\/(?:token|invitation|password|signout))?)?$/.exec(path) ?? [];
  const shape = encoded === undefined ? path : `users/:login${action ?? ""}`;
  const login = decode(encoded ?? "");
  switch (`${request.method} ${shape}`) {
    case "POST users": {
      const body = newUsers.safeParse(await request.json().catch(() => undefined));
      if (!body.success) return refuse(400, "Cannot add users: give {logins: [text], admin: bool}");
      const added = await addUsers(deps.store, body.data.logins, body.data);
      for (const user of added) {
        await deps.audit(toUser("user.create", user, { admin: body.data.admin }));
      }
      return Response.json(added);
    }
    case "POST channels": {
      const body = channels.safeParse(await request.json().catch(() => undefined));
      if (!body.success) return refuse(400, "Cannot add channels: give {channels: [tree]}");
      const { channels: trees, check } = body.data;
      if (!check) return Response.json(await deps.seedChannels(trees));
      await deps.checkSeed(trees);
      return Response.json({ channels: 0, members: 0 });
    }
    case "GET users":
      return Response.json(await listUsers(deps.store));
    case "POST users/:login/token": {
      const made = await addToken(deps.store, login);
      await deps.audit(toUser("token.create", made));
      return Response.json(made);
    }
    case "POST users/:login/invitation": {
      const body = invitation.safeParse(await request.json().catch(() => undefined));
      if (!body.success) return refuse(400, "Cannot invite: give {admin: bool}");
      const { path, ...invited } = await inviteUser(deps.store, login, {
        admin: body.data.admin,
        now: deps.now(),
      });
      await deps.audit(toUser("invitation.create", invited, { admin: body.data.admin }));
      return Response.json({ ...invited, url: deps.url + path });
    }
    case "POST users/:login/password": {
      const body = newPassword.safeParse(await request.json().catch(() => undefined));
      if (!body.success) return refuse(400, "Cannot set a password: give {password: text}");
      const user = await setPassword(deps.store, deps.passwords, login, body.data.password);
      await deps.audit(toUser("password.set", user));
      return Response.json(named(user));
    }
    case "POST users/:login/signout": {
      const user = await signOutUser(deps.store, login);
      deps.onUserSignedOut(user.id);
      await deps.audit(toUser("user.sign_out", user));
      return Response.json(named(user));
    }
    case "PATCH users/:login": {
      const body = change.safeParse(await request.json().catch(() => undefined));
      if (!body.success) {
        return refuse(400, "Cannot change the account: give {name: text or null, admin: bool}");
      }
      const user = await changeUser(deps.store, login, body.data);
      deps.onUserChanged(user.id);
      await deps.audit(toUser("user.update", user, body.data));
      return Response.json(named(user));
    }
    case "DELETE users/:login": {
      const user = await removeUser(deps.store, login);
      await deps.onUserRemoved(user.id);
      await deps.audit(toUser("user.remove", user));
      return Response.json(named(user));
    }
    default:
      return refuse(404, `Cannot ${request.method} ${prefix}${path}: no such route`);
  }
}

function named({ id, login }: User): { id: number; login: string } {
  return { id, login };
}

/** An empty login, which nobody has, for what is no encoding of a text. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** Compares digests, so that neither content nor length of the secret shows in the time it takes. */
function hasSecret(request: Request, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = request.headers.get("authorization") ?? "";
  return timingSafeEqual(digest(given), digest(`Bearer ${secret}`));
}

function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
