/** Headers that every answer carries, whatever its route says. */

/** For what is no page: nothing of it may run, be framed, or be used by other sites. */
const ALWAYS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
};

/** A year: browsers that have seen the server over HTTPS do not try it without. */
const HTTPS_ONLY = "max-age=31536000";

/**
 * Fills in what the route has not set itself.
 *
 * @param isHttps whether clients reach the server over HTTPS
 */
export function addSecurityHeaders(headers: Headers, isHttps: boolean): void {
  for (const [name, value] of Object.entries(ALWAYS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (isHttps) headers.set("strict-transport-security", HTTPS_ONLY);
}
