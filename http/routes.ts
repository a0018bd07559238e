/** From a request to its answer: path, method, credentials, then the handler of its row. */
import { authenticate, refusedCredentials } from "./credentials.ts";
import { basePath, routePath } from "./base_path.ts";
import { BodyTooLargeError, BodyTooSlowError } from "./body.ts";
import { corsHeaders, preflight } from "./cors.ts";
import type { HttpDeps } from "./deps.ts";
import { type Guesser, tooManyGuesses } from "./guess_limit.ts";
import { observed } from "./observed.ts";
import { elsewhere } from "./modes.ts";
import { requestIdOf } from "./request_id.ts";
import { plainText, unavailable } from "./responses.ts";
import { type Exchange, type Method, type Route, type RouteMatch, Router } from "./route.ts";
import { routes } from "./route_table.ts";

export type { HttpDeps } from "./deps.ts";

const router = new Router(routes);

/**
 * Answers one request; never throws.
 *
 * @param peer network address of who asks
 */
export async function handleRequest(
  request: Request,
  deps: HttpDeps,
  peer: string,
): Promise<Response> {
  const began = performance.now();
  const id = requestIdOf(request.headers);
  const { route, answer } = await answerOf(request, id, deps, peer);
  const milliseconds = Math.round((performance.now() - began) * 100) / 100;
  return observed({ id, request, route, answer, milliseconds }, deps);
}

/** What answered, and what. */
interface Outcome {
  /** Path of the row; undefined where there is none. */
  readonly route: string | undefined;
  readonly answer: Response;
}

async function answerOf(
  request: Request,
  id: string,
  deps: HttpDeps,
  peer: string,
): Promise<Outcome> {
  const url = URL.parse(request.url);
  if (url === null) {
    return { route: undefined, answer: plainText(400, "the Host header names no host") };
  }
  const path = routePath(url.pathname, basePath(deps.config));
  const matches = router.find(path);
  const route = matches[0]?.route.path;
  try {
    return { route, answer: await dispatch({ request, url, path, peer, deps }, matches) };
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      return { route, answer: plainText(413, error.message, { connection: "close" }) };
    }
    if (error instanceof BodyTooSlowError) {
      return { route, answer: plainText(408, error.message, { connection: "close" }) };
    }
    deps.log.error("{method} {path} failed: {error} {requestId}", {
      method: request.method,
      path: url.pathname,
      error,
      requestId: id,
    });
    return { route, answer: unavailable() };
  }
}

async function dispatch(
  asked: Omit<Exchange, "params">,
  matches: readonly RouteMatch[],
): Promise<Response> {
  const { request, path, peer, deps } = asked;
  const refusal = deps.limits.refuseAddress(request.headers, peer);
  if (refusal !== undefined) return refusal;
  const { webOrigins } = deps.config;
  const early = preflight(request, path, webOrigins);
  if (early !== undefined) return early;
  const answer = await answerAt(asked, matches);
  // An upgrade is no answer that a page could read.
  if (answer.status === 101) return answer;
  for (const [name, value] of Object.entries(corsHeaders(request, path, webOrigins))) {
    answer.headers.append(name, value);
  }
  return answer;
}

async function answerAt(
  asked: Omit<Exchange, "params">,
  matches: readonly RouteMatch[],
): Promise<Response> {
  const { request, path, peer, deps } = asked;
  if (matches.length === 0) return plainText(404, `there is nothing at ${path}`);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const match = matches.find(({ route }) => route.methods.includes(method as Method));
  if (match === undefined) {
    const allowed = matches.flatMap(({ route }) => route.methods);
    const allow = (allowed.includes("GET") ? ["HEAD", ...allowed] : allowed).join(", ");
    return plainText(405, `use ${allow} at ${path}`, { allow });
  }
  const { route, params } = match;
  const exchange: Exchange = { ...asked, params };
  const other = await elsewhere(route, exchange);
  if (other !== undefined) return other;
  const guesser = deps.guesses.guesser(request.headers, peer);
  if (route.auth !== "user") return await guarded(route, exchange, guesser);
  const verdict = await authenticate(deps.store, request.headers, deps.strategies, guesser);
  if (verdict.kind === "wait") return tooManyGuesses();
  if (verdict.kind === "invalid") return refusedCredentials(request.headers);
  const tooMany = deps.limits.refuseUser(verdict.user.id, request.headers, peer);
  if (tooMany !== undefined) return tooMany;
  return await route.handler({ ...exchange, user: verdict.user, tokenId: verdict.tokenId });
}

type OpenRoute = Exclude<Route, { readonly auth: "user" }>;

/** Runs a route that checks a secret by itself, unless its address has sent too many wrong ones. */
async function guarded(route: OpenRoute, exchange: Exchange, guesser: Guesser): Promise<Response> {
  const { auth, handler } = route;
  if (auth === "none" || auth === "session") return await handler(exchange);
  // A session cannot be guessed.
  const byCookie = auth === "administrator" && !exchange.request.headers.has("authorization");
  if (byCookie) return await handler(exchange);
  const open = guesser.isOpen();
  // The server's own secret is random: no guesser may keep the machine's command line out.
  if (!open && auth !== "server secret") return tooManyGuesses();
  const answer = await handler(exchange);
  const isGuess = answer.status === 401 && exchange.request.headers.has("authorization") &&
    // Once right, and too old now.
    !answer.headers.has("x-zed-expired-token");
  if (!isGuess) return answer;
  guesser.missed();
  return open ? answer : tooManyGuesses();
}
