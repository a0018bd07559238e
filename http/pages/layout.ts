/** Every page: its frame, and headers that let nothing foreign into it. */
import { type Html, html } from "./html.ts";

/** What of a page differs. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Path of the server, as `/zed`, or empty. */
  readonly prefix: string;
  /** Where forms may lead besides this server: redirects after a form count as its target. */
  readonly formTargets?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Address that the browser opens by itself; also in the body, for those that do not. */
  readonly goTo?: string;
  readonly wide?: boolean;
}

/** Headers of every page. The policy allows our style sheet and our forms, no script at all. */
function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; " +
      `form-action ${["'self'", ...formTargets].join(" ")}; base-uri 'none'; ` +
      "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
  };
}

/** The page as an answer. */
export function page(
  { title, body, status = 200, prefix, formTargets, headers = {}, goTo, wide }: Page,
): Response {
  const text = html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    ${goTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${goTo}">`}
    <title>${title} – Parley</title>
    <link rel="stylesheet" href="${prefix}/assets/style.css">
    <link rel="icon" href="data:,">
      </head>
      <body>
        <main${wide === true && html`
          class="wide"
        `}>
    <h1>${title}</h1>
    ${body}
    </main>
    </body>
    </html>
  `.text;
  return new Response(text, { status, headers: { ...pageHeaders(formTargets), ...headers } });
}
