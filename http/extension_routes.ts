/** The registry's five requests: from a folder, sent on, or answered harmlessly. [transport 7.1] */
import { parseAppVersion } from "../lib/app_version.ts";
import {
  type Extension,
  type ExtensionBounds,
  ExtensionRegistry,
  forClient,
} from "./extension_registry.ts";
import { json, plainText } from "./responses.ts";
import type { Exchange } from "./route.ts";
import { sendOn } from "./upstream_routes.ts";

/** `/extensions`: the gallery. */
export async function extensionList(exchange: Exchange): Promise<Response> {
  const other = elsewhere(exchange);
  if (other instanceof Response) return other;
  const query = exchange.url.searchParams;
  const provides = query.get("provides")?.split(",") ?? [];
  const maxSchema = Number(query.get("max_schema_version") ?? 0);
  const found = await other.search(query.get("filter") ?? "", provides, maxSchema);
  return listed(exchange, found);
}

/** `/extensions/updates`: the newest version of each id that the client can run. */
export async function extensionUpdates(exchange: Exchange): Promise<Response> {
  const other = elsewhere(exchange);
  if (other instanceof Response) return other;
  const bounds = boundsOf(exchange);
  const ids = exchange.url.searchParams.get("ids");
  if (bounds === undefined || ids === null) {
    return plainText(
      400,
      "give min_schema_version, max_schema_version, min_wasm_api_version, max_wasm_api_version and ids",
    );
  }
  return listed(exchange, await other.newest([...new Set(ids.split(","))], bounds));
}

/** `/extensions/:id`: all versions. */
export async function extensionVersions(exchange: Exchange): Promise<Response> {
  const other = elsewhere(exchange);
  if (other instanceof Response) return other;
  return listed(exchange, await other.versions(exchange.params.id!));
}

/** `…/download`: the archive of one version, or of the newest that the client can run. [transport 7.1.5] */
export async function extensionDownload(exchange: Exchange): Promise<Response> {
  const { params: { id, version }, deps: { config } } = exchange;
  const missing = plainText(404, `there is no extension "${id}" on this server`);
  if (config.extensionsDir === undefined && config.upstreams.extensions === undefined) {
    return missing;
  }
  const other = elsewhere(exchange);
  if (other instanceof Response) return other;
  const chosen = version ?? (await other.newest([id!], boundsOf(exchange)))[0]?.version;
  const archive = chosen === undefined ? undefined : await other.open(id!, chosen);
  if (archive === undefined) return missing;
  // Nobody reads the body of a HEAD.
  if (exchange.request.method === "HEAD") archive.file.close();
  return new Response(exchange.request.method === "HEAD" ? null : archive.file.readable, {
    headers: {
      "content-type": "application/gzip",
      "content-length": `${archive.size}`,
      "x-content-type-options": "nosniff",
    },
  });
}

/** The folder's registry, or the answer of a server without one. A folder beats an upstream. */
function elsewhere(exchange: Exchange): ExtensionRegistry | Response {
  const { config, log } = exchange.deps;
  if (config.extensionsDir !== undefined) return new ExtensionRegistry(config.extensionsDir, log);
  const upstream = config.upstreams.extensions;
  return upstream === undefined ? json(200, { data: [] }) : sendOn(upstream, exchange);
}

function listed({ request }: Exchange, found: readonly Extension[]): Response {
  const agent = request.headers.get("user-agent");
  return json(200, { data: found.slice(0, 1000).map((one) => forClient(one, agent)) });
}

/** Undefined where one is missing or makes no sense. */
function boundsOf({ url: { searchParams } }: Exchange): ExtensionBounds | undefined {
  const schema = (name: string) => {
    const text = searchParams.get(name);
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  };
  const minSchema = schema("min_schema_version");
  const maxSchema = schema("max_schema_version");
  const minWasm = parseAppVersion(searchParams.get("min_wasm_api_version") ?? "");
  const maxWasm = parseAppVersion(searchParams.get("max_wasm_api_version") ?? "");
  if (minSchema === undefined || maxSchema === undefined) return undefined;
  if (minWasm === undefined || maxWasm === undefined) return undefined;
  return { minSchema, maxSchema, minWasm, maxWasm };
}
