/** What every answer gets, whichever route made it: an id, headers, a line in the log, its numbers. */
import type { HttpDeps } from "./deps.ts";
import { REQUEST_ID } from "./request_id.ts";
import { addSecurityHeaders } from "./security_headers.ts";

/** One request and what came of it. */
export interface Observation {
  readonly id: string;
  readonly request: Request;
  /** Path of the row that answered; without it nothing is there. */
  readonly route: string | undefined;
  readonly answer: Response;
  /** From the request to its answer. */
  readonly milliseconds: number;
}

/** Machines ask for these all day, and what comes of a handshake is told elsewhere. */
const QUIET = new Set(["/healthz", "/readyz", "/livez", "/metrics", "/rpc"]);

/** The answer as it goes out; counts and logs it. Nothing that a client has sent is logged but the id. */
export function observed(
  { id, request, route, answer, milliseconds }: Observation,
  { config, log, metrics }: HttpDeps,
): Response {
  const { status } = answer;
  metrics.httpRequests.inc(`${status}`);
  metrics.httpRequestTime.observe(milliseconds / 1000);
  const facts = { requestId: id, method: request.method, route, status, milliseconds };
  const isQuiet = route === undefined || QUIET.has(route);
  if (isQuiet) log.debug("{method} {route} {status} {milliseconds} ms {requestId}", facts);
  else log.info("{method} {route} {status} {milliseconds} ms {requestId}", facts);
  answer.headers.set(REQUEST_ID, id);
  addSecurityHeaders(answer.headers, isHttps(config));
  return answer;
}

function isHttps({ publicUrl, tls }: HttpDeps["config"]): boolean {
  return publicUrl === undefined ? tls !== undefined : publicUrl.startsWith("https:");
}
