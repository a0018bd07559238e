/** Routes for who operates the server. [transport 6.3] */
import { avatarPng } from "./avatar.ts";
import { plainText } from "./responses.ts";
import type { Exchange } from "./route.ts";

/** `GET /`: mode and version. */
export function root({ deps }: Exchange): Response {
  return plainText(200, `parley:${deps.config.mode} v${deps.version}`);
}

/** `GET /livez`: `ok` while the process answers at all; a database that is away is no reason to end it. */
export function live(): Response {
  return plainText(200, "ok");
}

/** `GET /readyz` and `GET /healthz`: `ok` after a query. */
export async function health({ deps: { store, actors, log } }: Exchange): Promise<Response> {
  if (actors.draining) return plainText(503, "stopping");
  if (actors.journal.failure !== undefined) {
    return plainText(503, "the database takes no writes; see the log");
  }
  if (actors.journal.away) return plainText(503, "the database is away, its writes wait");
  try {
    await store.ping();
  } catch (error) {
    log.error("The database does not answer: {error}", { error });
    return plainText(503, "the database is not in order; see the log");
  }
  return plainText(200, "ok");
}

/** `GET /metrics`: Prometheus text. */
export async function metrics({ deps }: Exchange): Promise<Response> {
  return plainText(200, await deps.metrics.text(), {
    "content-type": deps.metrics.contentType,
  });
}

/** `GET /avatars/:id.png`: a picture for every account. */
export function avatar({ params }: Exchange): Response {
  if (!/^[1-9]\d{0,9}$/.test(params.id!)) return plainText(404, "there is no such picture");
  return new Response(avatarPng(Number(params.id)), {
    headers: {
      "content-type": "image/png",
      "cache-control": "public, max-age=86400",
      // Pictures are for pages of others too.
      "cross-origin-resource-policy": "cross-origin",
    },
  });
}
