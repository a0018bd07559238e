/** The HTTP side of the server: every path and what answers it. [transport 11] */
import type { Actors } from "../actors/start.ts";
import type { Store } from "../db/store.ts";
import type { Config } from "../lib/config.ts";
import type { Log } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import { handleAdmin } from "./admin.ts";
import type { Admission } from "./admission.ts";
import { avatarPng } from "./avatar.ts";
import { baseUrl } from "./base_url.ts";
import { impersonate } from "./impersonate.ts";
import { plainText, redirect } from "./responses.ts";
import { upgradeRpc } from "./websocket.ts";

/** Bytes that a request's body may have. */
const BODY_LIMIT = 64 << 10;

export interface HttpDeps {
  readonly config: Config;
  readonly actors: Actors;
  readonly admission: Admission;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly adminSecret: string;
  readonly version: string;
}

/** Answers one request; never throws. */
export async function handleRequest(request: Request, deps: HttpDeps): Promise<Response> {
  try {
    return await route(request, deps);
  } catch (error) {
    deps.log.error("{method} {path} failed: {error}", {
      method: request.method,
      path: new URL(request.url).pathname,
      error,
    });
    // Trouble of ours is never a 401: clients would throw their credentials away. [transport 5.5]
    return plainText(503, "the server cannot answer right now, try again in a moment", {
      "retry-after": "5",
    });
  }
}

async function route(request: Request, deps: HttpDeps): Promise<Response> {
  // `server_url` with a slash at its end makes paths begin with two. [transport 8.1.1]
  const path = new URL(request.url).pathname.replace(/^\/{2,}/, "/");
  switch (path) {
    case "/":
      return plainText(200, `parley:all v${deps.version}`);
    case "/rpc":
      return await rpc(request, deps);
    case "/healthz":
      return await health(deps);
    case "/metrics":
      return plainText(200, await deps.metrics.text(), {
        "content-type": deps.metrics.contentType,
      });
    case "/internal/users/impersonate":
      return await impersonate(limited(request), deps.store, deps.config.apiToken);
  }
  const avatar = /^\/avatars\/([1-9]\d{0,9})\.png$/.exec(path);
  if (avatar !== null) {
    return new Response(avatarPng(Number(avatar[1])), {
      headers: { "content-type": "image/png", "cache-control": "public, max-age=86400" },
    });
  }
  const admin = await handleAdmin(limited(request), {
    store: deps.store,
    adminSecret: deps.adminSecret,
    onUserRemoved: (userId) => deps.actors.removeUser(userId),
  });
  return admin ?? plainText(404, `there is nothing at ${path}`);
}

/** One path for both: the redirect that clients ask for first, and the WebSocket. [transport 1.1.8] */
function rpc(request: Request, deps: HttpDeps): Response | Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return redirect(302, `${baseUrl(request, deps.config.publicUrl)}/rpc`);
  }
  return upgradeRpc(request, deps.actors, deps.admission, deps.metrics);
}

async function health({ store, actors, log }: HttpDeps): Promise<Response> {
  if (actors.draining) return plainText(503, "stopping");
  if (actors.journal.failure !== undefined) {
    return plainText(503, "the database takes no writes; see the log");
  }
  try {
    await store.ping();
  } catch (error) {
    log.error("The database does not answer: {error}", { error });
    return plainText(503, "the database does not answer");
  }
  return plainText(200, "ok");
}

/** The request with a body that ends with an error when it grows too large. */
function limited(request: Request): Request {
  if (request.body === null) return request;
  let taken = 0;
  const body = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        taken += chunk.length;
        if (taken > BODY_LIMIT) controller.error(new Error("Request body is larger than 64 KiB"));
        else controller.enqueue(chunk);
      },
    }),
  );
  // Field by field: a copy of the request would also take its signal, which Deno warns about.
  return new Request(request.url, { method: request.method, headers: request.headers, body });
}
