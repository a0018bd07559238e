/** Under which URL a client sees this server. [transport 1.1.8] */

/**
 * The origin for absolute links: the configured one, else what a proxy says, else the request's own.
 *
 * @param publicUrl `PUBLIC_URL`, the only safe choice behind a proxy that does not tell the scheme
 */
export function baseUrl(request: Request, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const own = new URL(request.url);
  const scheme = first(request.headers.get("x-forwarded-proto")) ?? own.protocol.slice(0, -1);
  const host = first(request.headers.get("x-forwarded-host")) ??
    request.headers.get("host") ?? own.host;
  const url = URL.parse(`${scheme === "https" ? "https" : "http"}://${host}`);
  return url === null || url.host === "" ? own.origin : url.origin;
}

function first(value: string | null): string | undefined {
  const text = value?.split(",")[0]?.trim();
  return text === "" ? undefined : text;
}
