/** Routes for the command line of the same machine; guarded by the secret in `server.json`. */
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { addToken, addUsers, listUsers, NoSuchUserError, removeUser } from "../db/accounts.ts";
import { InvalidLoginError } from "../db/login.ts";
import { LoginTakenError, type Store, StoreUnavailableError } from "../db/store.ts";

/** What the admin routes need of the server. */
export interface AdminDeps {
  readonly store: Store;
  /** Made anew at every start; see `running_server.ts`. */
  readonly adminSecret: string;
  /** Ends what a removed user still has open. */
  readonly onUserRemoved: (userId: number) => void | Promise<void>;
}

const prefix = "/internal/admin/";

const newUsers = z.object({ logins: z.array(z.string()).min(1), admin: z.boolean() });

/**
 * Answers a request for an admin route; undefined if it is for something else.
 *
 * | route | answer |
 * |---|---|
 * | `POST /internal/admin/users` `{logins, admin}` | 200 `[{id, login, token}]`, 400, 409 |
 * | `GET /internal/admin/users` | 200 `[{id, login, admin, createdAt}]` |
 * | `POST /internal/admin/users/:login/token` | 200 `{id, login, token}`, 404 |
 * | `DELETE /internal/admin/users/:login` | 200 `{id, login}`, 404 |
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
    return await route(request, pathname.slice(prefix.length), deps);
  } catch (error) {
    if (error instanceof InvalidLoginError) return refuse(400, error.message);
    if (error instanceof NoSuchUserError) return refuse(404, error.message);
    if (error instanceof LoginTakenError) return refuse(409, error.message);
    if (error instanceof StoreUnavailableError) return refuse(503, error.message);
    throw error;
  }
}

async function route(request: Request, path: string, deps: AdminDeps): Promise<Response> {
  const [, encoded, token] = /^users(?:\/([^/]+)(\/token)?)?$/.exec(path) ?? [];
  const shape = encoded === undefined ? path : `users/:login${token ?? ""}`;
  const login = decode(encoded ?? "");
  switch (`${request.method} ${shape}`) {
    case "POST users": {
      const body = newUsers.safeParse(await request.json().catch(() => undefined));
      if (!body.success) return refuse(400, "Cannot add users: give {logins: [text], admin: bool}");
      return Response.json(await addUsers(deps.store, body.data.logins, body.data));
    }
    case "GET users":
      return Response.json(await listUsers(deps.store));
    case "POST users/:login/token":
      return Response.json(await addToken(deps.store, login));
    case "DELETE users/:login": {
      const user = await removeUser(deps.store, login);
      await deps.onUserRemoved(user.id);
      return Response.json({ id: user.id, login: user.login });
    }
    default:
      return refuse(404, `Cannot ${request.method} ${prefix}${path}: no such route`);
  }
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
