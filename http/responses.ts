/** Answers in the forms that this server uses. */

const COMMON = { "x-content-type-options": "nosniff" };

export function plainText(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(text, {
    status,
    headers: { ...COMMON, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function json(status: number, value: unknown, headers: HeadersInit = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      ...COMMON,
      "content-type": "application/json",
      "cache-control": "no-store",
      ...headers,
    },
  });
}

export function redirect(
  status: 302 | 303 | 307,
  location: string,
  headers: HeadersInit = {},
): Response {
  const all = new Headers(headers);
  for (const [name, value] of Object.entries({ ...COMMON, location })) all.set(name, value);
  return new Response(null, { status, headers: all });
}

/** Trouble of ours, which passes: never a 401, for which clients throw credentials away. [transport 5.5] */
export function unavailable(): Response {
  return plainText(503, "the server cannot answer right now, try again in a moment", {
    "retry-after": "5",
  });
}
