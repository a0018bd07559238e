/** Answers in the forms that this server uses. */

const COMMON = { "x-content-type-options": "nosniff" };

export function plainText(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(text, {
    status,
    headers: { ...COMMON, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...COMMON, "content-type": "application/json", "cache-control": "no-store" },
  });
}

export function redirect(status: 302 | 307, location: string): Response {
  return new Response(null, { status, headers: { ...COMMON, location } });
}
