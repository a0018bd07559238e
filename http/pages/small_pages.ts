/** Pages that the editor opens, and what this server has to say there. [transport 7.3] */
import { basePath } from "../base_path.ts";
import { plainText } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { sitePage } from "../upstream_routes.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import { STYLE } from "./style.ts";

/** `GET /assets/style.css`. */
export function styleSheet(): Response {
  return new Response(STYLE, {
    headers: {
      "content-type": "text/css; charset=utf-8",
      "cache-control": "public, max-age=3600",
      "x-content-type-options": "nosniff",
    },
  });
}

/** `GET /native_app_signin_succeeded`: where the editor sends the browser. [transport 4.1.6] */
export function signedIn({ deps }: Exchange): Response {
  return page({
    title: "Signed in",
    prefix: basePath(deps.config),
    body: html`<p>You are signed in. You may close this page and return to Zed.</p>`,
  });
}

/** Documentation, terms and the like: Zed's own site has them, if this server may point there. */
export function elsewhere(exchange: Exchange): Response {
  return sitePage(exchange) ?? page({
    title: "Not here",
    status: 404,
    prefix: basePath(exchange.deps.config),
    body: html`<p>This server is for collaboration. Zed's documentation and terms are on
<a href="https://zed.dev">zed.dev</a>.</p>`,
  });
}

/** `GET /channel/<slug>-<id>[/notes]`: a copied link, which opens in the editor. */
export function channelLink({ params, path, deps }: Exchange): Response {
  const slug = params.channel!;
  // What the editor copies ends in the channel's id; letters of any language may stand before it.
  if (!/^(?:[^\p{Cc}\s"'<>\\]*-)?\d{1,19}$/u.test(slug)) return plainText(404, "no channel's link");
  const rest = path.endsWith("/notes") ? "/notes" : "";
  const target = `zed://channel/${encodeURIComponent(slug)}${rest}`;
  return page({
    title: "Open in Zed",
    prefix: basePath(deps.config),
    goTo: target,
    body: html`<p>The link belongs to a channel. If Zed does not open by itself:</p>
<a class="button" href="${target}">Open in Zed</a>`,
  });
}
