/** Releases and release notes: sent on to an upstream, or answered harmlessly. */
import { json, plainText, redirect } from "./responses.ts";
import type { Exchange } from "./route.ts";

/** The same path and query elsewhere. */
export function sendOn(upstream: string, { path, url }: Exchange): Response {
  return redirect(307, `${upstream}${path}${url.search}`);
}

/** `/api/releases/…`: updates as clients of 2025 ask for them. [transport 7.2.1] */
export function release2025(exchange: Exchange): Response {
  const { upstreams } = exchange.deps.config;
  if (upstreams.site !== undefined) return sendOn(upstreams.site, exchange);
  const query = exchange.url.searchParams;
  return exchange.params["*"] === "latest"
    ? noUpdate(query.has("nightly"), query.get("asset"))
    : plainText(404, "this server keeps no releases");
}

/** `/releases/:channel/:version/asset`: the same since November 2025. [transport 7.2.2] */
export function release2026(exchange: Exchange): Response {
  const { upstreams } = exchange.deps.config;
  if (upstreams.cloud !== undefined) return sendOn(upstreams.cloud, exchange);
  return noUpdate(exchange.params.channel === "nightly", exchange.url.searchParams.get("asset"));
}

/**
 * An old version, which nobody installs. Nightly builds take any other text for an update, and who
 * needs a remote server cannot use an empty address: both are told that there is nothing.
 * [transport 7.2.3]
 */
function noUpdate(nightly: boolean, asset: string | null): Response {
  return nightly || (asset !== null && asset !== "zed")
    ? plainText(404, "this server keeps no releases")
    : json(200, { version: "0.0.0", url: "" });
}

/** `/api/release_notes/…`. [transport 7.2.5] */
export function releaseNotes(exchange: Exchange): Response {
  const { upstreams } = exchange.deps.config;
  return upstreams.site === undefined
    ? plainText(404, "this server keeps no release notes")
    : sendOn(upstreams.site, exchange);
}

/** Sends a page's request on to the site, if there is one. */
export function sitePage(exchange: Exchange): Response | undefined {
  const { site } = exchange.deps.config.upstreams;
  return site === undefined ? undefined : sendOn(site, exchange);
}
