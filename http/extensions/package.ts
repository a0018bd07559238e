/** What an archive has to be to be published, and what is told of it. [transport 7.1, 7.1.5] */
import { createTarDecoder } from "modern-tar";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";
import { parseAppVersion } from "../../lib/app_version.ts";
import { type Description, ID, NEW_KINDS } from "./extension_registry.ts";

/** Bytes of an archive, packed and unpacked, and entries in it, at most. */
export const PACKED_LIMIT = 64 << 20;
const UNPACKED_LIMIT = 512 << 20;
const MOST_ENTRIES = 20_000;
const MANIFEST_LIMIT = 1 << 20;

/** An archive that cannot be published; the message says why, and what to do. */
export class PackageError extends Error {
  override readonly name = "PackageError";
}

/** A checked archive. */
export interface Package {
  readonly id: string;
  readonly version: string;
  readonly description: Description;
}

const table = z.record(z.string(), z.unknown());
const version = z.string().refine(
  (text) => parseAppVersion(text)?.text === text,
  "must be a version",
);
const manifest = z.object({
  id: z.string().regex(ID, "must be letters, digits, - and _"),
  name: z.string().min(1).max(200),
  version,
  schema_version: z.int().min(0).max(2 ** 31 - 1).default(0),
  description: z.string().max(10_000).optional(),
  authors: z.array(z.string()).default([]),
  repository: z.string().default(""),
  lib: z.object({ version: version.optional() }).optional(),
  themes: z.array(z.string()).default([]),
  icon_themes: z.array(z.string()).default([]),
  languages: z.array(z.string()).default([]),
  grammars: table.default({}),
  language_servers: table.default({}),
  context_servers: table.default({}),
  slash_commands: table.default({}),
  indexed_docs_providers: table.default({}),
  snippets: z.unknown().optional(),
  debug_adapters: table.default({}),
  agent_servers: table.default({}),
});

/**
 * Reads an archive to its end.
 *
 * @param wasmApiVersion of the compiled code in it, where its manifest does not say
 * @throws {PackageError}
 */
export async function checkPackage(
  archive: Uint8Array,
  wasmApiVersion?: string,
): Promise<Package> {
  const files = new Set<string>();
  let text: string | undefined;
  try {
    const entries = new Blob([archive as Uint8Array<ArrayBuffer>]).stream()
      .pipeThrough(new DecompressionStream("gzip")).pipeThrough(limited())
      .pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries) {
      const name = header.name.replace(/^(?:\.\/)+/, "").replace(/\/$/, "");
      checkEntry(name, header.type ?? "file", files);
      if (name === "extension.toml" && header.type !== "directory") {
        if (header.size > MANIFEST_LIMIT) throw new PackageError("extension.toml is too large");
        text = await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
      } else await body.cancel();
    }
  } catch (error) {
    if (error instanceof PackageError) throw error;
    throw new PackageError(
      `the archive cannot be read: ${(error as Error).message}; send a .tar.gz`,
      { cause: error },
    );
  }
  if (text === undefined) {
    throw new PackageError(
      "there is no extension.toml at the archive's root; pack the folder's contents",
    );
  }
  return describe(text, files, wasmApiVersion);
}

/** Nothing that could land outside the folder that a client unpacks it into. */
function checkEntry(name: string, type: string, files: Set<string>): void {
  if (type !== "file" && type !== "directory") {
    throw new PackageError(`"${name}" is a ${type}; only files and folders may be in an archive`);
  }
  if (/^\/|^[a-z]:|\\|(?:^|\/)\.\.(?:\/|$)/i.test(name)) {
    throw new PackageError(`"${name}" leads out of the archive; pack with relative paths`);
  }
  files.add(name);
  if (files.size > MOST_ENTRIES) {
    throw new PackageError(`there are more than ${MOST_ENTRIES} files`);
  }
}

function limited(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > UNPACKED_LIMIT) {
        throw new PackageError(`the archive holds more than ${UNPACKED_LIMIT >> 20} MiB`);
      }
      controller.enqueue(chunk);
    },
  });
}

function describe(text: string, files: ReadonlySet<string>, wasmApiVersion?: string): Package {
  let read: z.infer<typeof manifest>;
  try {
    read = manifest.parse(parseToml(text));
  } catch (error) {
    const reason = error instanceof z.ZodError
      ? error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")
      : (error as Error).message;
    throw new PackageError(`extension.toml cannot be used: ${reason}`, { cause: error });
  }
  const wasm = wasmApiVersion ?? read.lib?.version;
  if (files.has("extension.wasm") && wasm === undefined) {
    throw new PackageError(
      "there is compiled code in it, but nothing says for which API: " +
        "set lib.version in extension.toml, or give wasm_api_version",
    );
  }
  if (wasm !== undefined && parseAppVersion(wasm)?.text !== wasm) {
    throw new PackageError(`wasm_api_version "${wasm}" is no version`);
  }
  const has = (folder: string) => [...files].some((name) => name.startsWith(`${folder}/`));
  const provides: Readonly<Record<string, boolean>> = {
    "themes": read.themes.length > 0 || has("themes"),
    "icon-themes": read.icon_themes.length > 0 || has("icon_themes"),
    "languages": read.languages.length > 0 || has("languages"),
    "grammars": Object.keys(read.grammars).length > 0 || has("grammars"),
    "language-servers": Object.keys(read.language_servers).length > 0,
    "context-servers": Object.keys(read.context_servers).length > 0,
    "slash-commands": Object.keys(read.slash_commands).length > 0,
    "indexed-docs-providers": Object.keys(read.indexed_docs_providers).length > 0,
    "snippets": read.snippets !== undefined || has("snippets"),
    "debug-adapters": Object.keys(read.debug_adapters).length > 0,
    "agent-servers": Object.keys(read.agent_servers).length > 0,
  };
  return {
    id: read.id,
    version: read.version,
    description: {
      name: read.name,
      ...(read.description !== undefined && { description: read.description }),
      authors: read.authors,
      repository: read.repository,
      schema_version: read.schema_version,
      ...(files.has("extension.wasm") && wasm !== undefined && { wasm_api_version: wasm }),
      provides: [...NEW_KINDS].filter((kind) => provides[kind]),
    },
  };
}
