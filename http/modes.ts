/**
 * An installation may be split: one process for what needs the database only (`serve api`), one for
 * connections and all that concerns them (`serve collab`). Each answers its own rows of the table.
 * [transport 6.3.3]
 */
import type { Config } from "../lib/config.ts";
import { plainText, redirect } from "./responses.ts";
import type { Exchange, Route } from "./route.ts";

/** What a request carries from one hop to the next only, or what the next hop finds out itself. */
const HOP_HEADERS = ["connection", "host", "content-length", "transfer-encoding", "upgrade"];

/** The answer for a row that this process does not serve; undefined for its own rows. */
export async function elsewhere(route: Route, exchange: Exchange): Promise<Response | undefined> {
  const { config } = exchange.deps;
  const { place = "api" } = route;
  if (config.mode === "all" || place === "both") return undefined;
  if (config.mode === "collab") {
    return place === "api"
      ? plainText(404, `${exchange.path} is served by "serve api", not by this process`)
      : undefined;
  }
  if (place === "api") return undefined;
  if (config.collabUrl === undefined) {
    return plainText(
      place === "passed on" ? 503 : 404,
      `${exchange.path} is served by "serve collab"; give this process COLLAB_URL`,
    );
  }
  if (exchange.path === "/rpc") return redirect(302, `${config.collabUrl}/rpc`);
  if (place === "passed on") return await passOn(exchange, config.collabUrl);
  return plainText(404, `${exchange.path} is served by "serve collab" only`);
}

/** The same request to the other process, which checks the same proofs in the same database. */
async function passOn(
  { request, path, url, peer, deps }: Exchange,
  target: NonNullable<Config["collabUrl"]>,
): Promise<Response> {
  const headers = new Headers(request.headers);
  for (const name of HOP_HEADERS) headers.delete(name);
  const before = headers.get("x-forwarded-for");
  headers.set("x-forwarded-for", before === null ? peer : `${before}, ${peer}`);
  let answer: Response;
  try {
    answer = await fetch(`${target}${path}${url.search}`, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
  } catch (error) {
    deps.log.error("The collaboration process does not answer: {error}", { error });
    return plainText(503, "the collaboration process does not answer, try again in a moment", {
      "retry-after": "5",
    });
  }
  const kept = new Headers(answer.headers);
  for (const name of HOP_HEADERS) kept.delete(name);
  return new Response(answer.body, { status: answer.status, headers: kept });
}
