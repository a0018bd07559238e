/** The registry's five requests: answered, sent on, or answered harmlessly. [transport 7.1] */
import { parseAppVersion } from "../../lib/app_version.ts";
import { json, plainText, redirect } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { sendOn } from "../upstream_routes.ts";
import { ArchiveStoreError } from "./archive_store.ts";
import {
  type Archive,
  type Extension,
  type ExtensionBounds,
  type ExtensionRegistry,
  forClient,
  MOST,
} from "./extension_registry.ts";

/** `/extensions`: the gallery. */
export function extensionList(exchange: Exchange): Promise<Response> {
  const query = exchange.url.searchParams;
  const provides = query.get("provides")?.split(",") ?? [];
  const maxSchema = Number(query.get("max_schema_version") ?? 0);
  return listed(
    exchange,
    (registry) => registry.search(query.get("filter") ?? "", provides, maxSchema),
  );
}

/** `/extensions/updates`: the newest version of each id that the client can run. */
export function extensionUpdates(exchange: Exchange): Promise<Response> {
  const bounds = boundsOf(exchange);
  const ids = exchange.url.searchParams.get("ids");
  return listed(exchange, (registry) => {
    if (bounds !== undefined && ids !== null) {
      return registry.newest([...new Set(ids.split(","))].slice(0, MOST), bounds);
    }
    return plainText(
      400,
      "give min_schema_version, max_schema_version, min_wasm_api_version, max_wasm_api_version and ids",
    );
  });
}

/** `/extensions/:id`: all versions. */
export function extensionVersions(exchange: Exchange): Promise<Response> {
  return listed(exchange, (registry) => registry.versions(exchange.params.id!));
}

/** `…/download`: the archive of one version, or of the newest that the client can run. [transport 7.1.5] */
export async function extensionDownload(exchange: Exchange): Promise<Response> {
  const { params: { id, version }, deps: { config, extensions, log }, request } = exchange;
  if (extensions === undefined) return sendOn(config.upstreams.extensions!, exchange);
  let chosen = version;
  let archive: Archive | undefined;
  try {
    chosen ??= (await extensions.newestOf(id!, boundsOf(exchange)))?.version;
    if (chosen !== undefined) archive = await extensions.open(id!, chosen);
    if (archive === undefined) return plainText(404, await whatIsMissing(extensions, id!, version));
  } catch (error) {
    if (!(error instanceof ArchiveStoreError)) throw error;
    log.error("{error}", { error });
    return plainText(503, "the archives cannot be reached right now, try again in a moment");
  }
  const isHead = request.method === "HEAD";
  if (!isHead) await extensions.countDownload(id!, chosen!);
  if (archive.kind === "link") return redirect(307, archive.url);
  // Nobody reads the body of a HEAD.
  if (isHead) await archive.file.body.cancel();
  return new Response(isHead ? null : archive.file.body, {
    headers: {
      "content-type": "application/gzip",
      "content-length": `${archive.file.size}`,
      "x-content-type-options": "nosniff",
    },
  });
}

async function whatIsMissing(
  registry: ExtensionRegistry,
  id: string,
  version: string | undefined,
): Promise<string> {
  const isKnown = (await registry.versions(id)).length > 0;
  if (!isKnown) return `there is no extension "${id}" on this server`;
  return version === undefined
    ? `no version of the extension "${id}" runs in this Zed`
    : `there is no version ${version} of the extension "${id}" on this server`;
}

/**
 * A list of what is found. Clients show the text of a 4xx; of any other status they read the body as a
 * list, so that trouble of ours that has words for people is no 5xx. [transport 7.1.4]
 */
async function listed(
  exchange: Exchange,
  find: (registry: ExtensionRegistry) => Promise<readonly Extension[]> | Response,
): Promise<Response> {
  const { request, deps: { config, extensions, log } } = exchange;
  if (extensions === undefined) return sendOn(config.upstreams.extensions!, exchange);
  try {
    const found = await find(extensions);
    if (found instanceof Response) return found;
    const agent = request.headers.get("user-agent");
    return json(200, { data: found.slice(0, MOST).map((one) => forClient(one, agent)) });
  } catch (error) {
    if (!(error instanceof ArchiveStoreError)) throw error;
    log.error("{error}", { error });
    return plainText(424, "the archives cannot be reached right now, try again in a moment");
  }
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
