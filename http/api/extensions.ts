/** Publishing extensions in this server's own registry. [transport 7.1] */
import { z } from "zod";
import { BodyTooLargeError, readBody } from "../body.ts";
import type { HttpDeps } from "../deps.ts";
import { ArchiveStoreError } from "../extensions/archive_store.ts";
import {
  AlreadyPublishedError,
  type ExtensionRegistry,
  type PublishedVersion,
} from "../extensions/extension_registry.ts";
import { checkPackage, PackageError, PACKED_LIMIT } from "../extensions/package.ts";
import { ApiError, type Endpoint, endpoint } from "./endpoint.ts";
import { ExtensionChange, ExtensionVersion, ExtensionVersions, timeOrNull } from "./schemas.ts";

const id = z.string().max(100);
const NO_REGISTRY = "requests for extensions are sent on: this server has no registry of its own";
const NO_VERSION = "there is no such version";

/** @throws {ApiError} */
function registryOf({ extensions }: HttpDeps): ExtensionRegistry {
  if (extensions === undefined) throw new ApiError(409, NO_REGISTRY);
  return extensions;
}

/** Runs `body` with the registry; what goes wrong with it becomes an answer. */
async function using<R>(deps: HttpDeps, body: (registry: ExtensionRegistry) => Promise<R>) {
  try {
    return await body(registryOf(deps));
  } catch (error) {
    if (error instanceof PackageError) throw new ApiError(422, error.message);
    if (error instanceof AlreadyPublishedError) throw new ApiError(409, error.message);
    if (error instanceof ArchiveStoreError) throw new ApiError(503, error.message);
    if (error instanceof BodyTooLargeError) throw new ApiError(413, error.message);
    throw error;
  }
}

function versionJson({ extension, downloads, yankedAt }: PublishedVersion) {
  const { id, version, name, schema_version, wasm_api_version, provides, published_at } = extension;
  return {
    id,
    version,
    name,
    schema_version,
    wasm_api_version: wasm_api_version ?? null,
    provides,
    published_at,
    downloads,
    yanked_at: timeOrNull(yankedAt),
  };
}

/** @throws {ApiError} */
async function versionOf(registry: ExtensionRegistry, id: string, version: string) {
  const found = (await registry.published(id)).find((one) => one.extension.version === version);
  if (found === undefined) throw new ApiError(404, `there is no extension ${id} ${version}`);
  return versionJson(found);
}

export const extensionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "POST",
    path: "/api/admin/extensions",
    summary: "publishing a version of an extension",
    description:
      "The body is the .tar.gz archive with extension.toml at its root, which names the " +
      "extension and its version. A version is published once and for all.",
    query: z.object({
      wasm_api_version: z.string().optional()
        .describe("of the compiled code, where extension.toml does not say"),
    }),
    upload: "application/gzip",
    success: { status: 201, description: "What is published", schema: ExtensionVersion },
    errors: {
      409: "that version is published already, or there is no registry",
      413: "the archive is too large",
      422: "the archive cannot be published, and why",
      503: "the archives cannot be reached",
    },
    async run({ query, exchange: { request }, deps }) {
      return await using(deps, async (registry) => {
        const archive = await readBody(request, PACKED_LIMIT);
        const { id, version, description } = await checkPackage(archive, query.wasm_api_version);
        await registry.publish(id, version, description, archive);
        const details = { version, bytes: archive.length };
        return {
          answer: await versionOf(registry, id, version),
          deeds: [{ action: "extension.publish", target: `/extensions/${id}`, details }],
        };
      });
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/extensions/:id",
    summary: "all versions of an extension, with their downloads",
    params: z.object({ id }),
    success: { status: 200, description: "The newest first", schema: ExtensionVersions },
    errors: { 404: "there is no such extension", 409: NO_REGISTRY },
    async run({ params, deps }) {
      return await using(deps, async (registry) => {
        const versions = await registry.published(params.id);
        if (versions.length === 0) throw new ApiError(404, `there is no extension ${params.id}`);
        return { answer: { versions: versions.map(versionJson) } };
      });
    },
  }),
  endpoint({
    method: "PATCH",
    path: "/api/admin/extensions/:id/:version",
    summary: "yanking a version, or offering it again",
    params: z.object({ id, version: z.string().max(100) }),
    body: ExtensionChange,
    success: { status: 200, description: "The version", schema: ExtensionVersion },
    errors: { 404: NO_VERSION, 409: NO_REGISTRY },
    async run({ params: { id, version }, body: { yanked }, deps }) {
      return await using(deps, async (registry) => {
        if (!await registry.setYanked(id, version, yanked)) {
          throw new ApiError(404, `there is no extension ${id} ${version}`);
        }
        const action = yanked ? "extension.yank" : "extension.unyank";
        return {
          answer: await versionOf(registry, id, version),
          deeds: [{ action, target: `/extensions/${id}`, details: { version } }],
        };
      });
    },
  }),
];
