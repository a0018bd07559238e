/** From a request to an endpoint's answer: who asks, what is asked, what came of it, what is written down. */
import { z } from "zod";
import { NoSuchUserError } from "../../db/accounts.ts";
import { InvalidLoginError } from "../../db/login.ts";
import { LoginTakenError } from "../../db/store.ts";
import { audit } from "../audit.ts";
import { readBody } from "../body.ts";
import { json } from "../responses.ts";
import type { Exchange, Route } from "../route.ts";
import { administratorOf } from "./administrator.ts";
import { ApiError, type Endpoint } from "./endpoint.ts";

/** The row of an endpoint in the table of routes. */
export function routeOf(endpoint: Endpoint): Route {
  return {
    path: endpoint.path,
    methods: [endpoint.method],
    auth: "administrator",
    place: "passed on",
    handler: (exchange) => serve(endpoint, exchange),
    caller: `administration: ${endpoint.summary}`,
    years: "-",
    answer: [
      `${endpoint.success.status}${endpoint.success.schema === undefined ? "" : " JSON"}`,
      ...Object.keys(endpoint.errors ?? {}),
    ].join(", "),
  };
}

async function serve(endpoint: Endpoint, exchange: Exchange): Promise<Response> {
  const administrator = await administratorOf(exchange);
  if (administrator instanceof Response) return administrator;
  const { deps } = exchange;
  try {
    const { answer, deeds = [] } = await endpoint.run({
      params: read("path", endpoint.params, exchange.params),
      query: read("query", endpoint.query, queryOf(exchange)),
      body: read("body", endpoint.body, await bodyOf(endpoint, exchange)),
      administrator,
      exchange,
      deps,
    });
    // Stored before anybody is told: what cannot be written down is told as a failure.
    for (const deed of deeds) {
      try {
        await audit(exchange, administrator.actor, deed);
      } catch (error) {
        const { action, target = "" } = deed;
        deps.log.error("{action} {target} is done but not in the audit log: {error}", {
          ...deed,
          target,
          actor: administrator.actor,
          error,
        });
        throw new ApiError(
          503,
          `${action} ${target} is done, but could not be written to the audit log; ` +
            "look at how things stand before trying again",
        );
      }
    }
    const { status, schema } = endpoint.success;
    if (schema === undefined) return new Response(null, { status });
    return json(status, schema.parse(answer));
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return json(refused.status, { error: refused.message });
  }
}

/** @throws {ApiError} naming each part that cannot be used */
function read(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  );
  throw new ApiError(400, `Cannot use the ${where}: ${problems.join("; ")}`);
}

function queryOf({ url }: Exchange): Record<string, string> {
  return Object.fromEntries(url.searchParams);
}

async function bodyOf({ body }: Endpoint, { request }: Exchange): Promise<unknown> {
  if (body === undefined) return undefined;
  const text = new TextDecoder().decode(await readBody(request));
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `Cannot use the body: ${(error as Error).message}`);
  }
}

function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidLoginError) return new ApiError(400, error.message);
  if (error instanceof NoSuchUserError) return new ApiError(404, error.message);
  if (error instanceof LoginTakenError) return new ApiError(409, error.message);
  // What an answer's own schema refuses is a defect of ours.
  return undefined;
}

/** A body of an error, in documents. */
export const errorSchema = z.strictObject({ error: z.string() }).meta({
  id: "Error",
  description: "What happened, to what, and what to do.",
});
