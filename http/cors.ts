/** Web pages of other origins that may use the API of accounts. Zed is none. [transport 11.2] */

/** Where pages may ask; everything there wants a token in a header, and no cookie counts. */
const PLACES = /^\/client\//;

const METHODS = "GET, POST, PATCH";
const HEADERS = "authorization, content-type, x-zed-protocol-version, x-zed-app-version, " +
  "x-zed-release-channel, x-zed-system-id, x-zed-metrics-id";

/** What an answer tells the browser; nothing for a page that the configuration does not name. */
export function corsHeaders(
  request: Request,
  path: string,
  origins: readonly string[],
): Readonly<Record<string, string>> {
  const origin = request.headers.get("origin");
  if (origin === null || !PLACES.test(path)) return {};
  if (!origins.includes(origin)) return { "vary": "origin" };
  return { "access-control-allow-origin": origin, "vary": "origin" };
}

/** The answer to a browser's question before a request; undefined for every other request. */
export function preflight(
  request: Request,
  path: string,
  origins: readonly string[],
): Response | undefined {
  const isQuestion = request.method === "OPTIONS" && PLACES.test(path) &&
    request.headers.has("access-control-request-method");
  const headers = corsHeaders(request, path, origins);
  if (!isQuestion || headers["access-control-allow-origin"] === undefined) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": HEADERS,
      "access-control-max-age": "600",
    },
  });
}
