/**
 * Extensions from a folder of this machine: `<id>/<version>.tar.gz`, beside each archive its
 * `<id>/<version>.json`. Read anew for each request: whoever puts files there need not tell anybody.
 * [transport 7.1]
 */
import { z } from "zod";
import { type AppVersion, isOlder, parseAppVersion } from "../lib/app_version.ts";
import type { Log } from "../lib/log.ts";

/** What may name a folder or an archive: never a way out of the folder. */
const ID = /^[a-z0-9][a-z0-9_-]{0,99}$/i;
/** Entries of one answer. [transport 7.1.3] */
const MOST = 1000;

/** The kinds that clients of every year can read; newer ones know two more. [transport 7.1.2] */
const OLD_KINDS: ReadonlySet<string> = new Set([
  "themes",
  "icon-themes",
  "languages",
  "grammars",
  "language-servers",
  "context-servers",
  "slash-commands",
  "indexed-docs-providers",
  "snippets",
]);
const NEW_KINDS: ReadonlySet<string> = new Set([...OLD_KINDS, "debug-adapters", "agent-servers"]);

const description = z.object({
  name: z.string().min(1),
  description: z.string().optional(),
  authors: z.array(z.string()).default([]),
  repository: z.string().default(""),
  schema_version: z.int().min(0).max(2 ** 31 - 1).default(0),
  wasm_api_version: z.string().refine((text) => parseAppVersion(text) !== undefined).optional(),
  provides: z.array(z.string()).default([]),
  published_at: z.iso.datetime({ offset: true }).optional(),
});

/** One version of an extension, as lists show it. [transport 7.1.1] */
export interface Extension extends Omit<z.infer<typeof description>, "published_at"> {
  readonly id: string;
  readonly version: string;
  readonly published_at: string;
  readonly download_count: number;
}

/** Bounds of what a client can run, both ends included. */
export interface ExtensionBounds {
  readonly minSchema: number;
  readonly maxSchema: number;
  readonly minWasm: AppVersion | undefined;
  readonly maxWasm: AppVersion | undefined;
}

export class ExtensionRegistry {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Ids in the folder, in no order. @throws what reading it throws */
  async ids(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.#folder));
    return entries.filter(({ isDirectory, name }) => isDirectory && ID.test(name))
      .map(({ name }) => name);
  }

  /** All versions of one, the newest first; none for an id that is not there. */
  async versions(id: string): Promise<Extension[]> {
    if (!ID.test(id)) return [];
    let entries: Deno.DirEntry[];
    try {
      entries = await Array.fromAsync(Deno.readDir(`${this.#folder}/${id}`));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    const versions = entries.filter(({ isFile, name }) => isFile && name.endsWith(".tar.gz"))
      .map(({ name }) => name.slice(0, -".tar.gz".length))
      .filter((version) => parseAppVersion(version)?.text === version);
    const found = await Promise.all(versions.map((version) => this.#describe(id, version)));
    return found.filter((one) => one !== undefined)
      .toSorted((a, b) => compare(b.version, a.version));
  }

  /** The newest version of each that is asked for. */
  async newest(ids: readonly string[], bounds?: ExtensionBounds): Promise<Extension[]> {
    const all = await Promise.all(ids.slice(0, MOST).map((id) => this.versions(id)));
    return all.map((versions) =>
      bounds === undefined ? versions[0] : versions.find((one) => isWithin(one, bounds))
    ).filter((one) => one !== undefined);
  }

  /** The gallery: what has all of `provides` and whose name has the letters of `filter`. [transport 7.1.3] */
  async search(filter: string, provides: readonly string[], maxSchema: number) {
    const wanted = provides.filter((kind) => NEW_KINDS.has(kind));
    const text = filter.toLowerCase();
    return (await this.newest(await this.ids()))
      .filter((one) => one.schema_version <= maxSchema)
      .filter((one) => one.id === text || isSubsequence(text, one.name.toLowerCase()))
      .filter((one) => one.id === text || wanted.every((kind) => one.provides.includes(kind)))
      .toSorted((a, b) =>
        Number(b.id === text) - Number(a.id === text) || (a.name < b.name ? -1 : 1)
      );
  }

  /** The archive's file and its size; undefined when there is none. The receiver closes it. */
  async open(
    id: string,
    version: string,
  ): Promise<{ file: Deno.FsFile; size: number } | undefined> {
    if (!ID.test(id) || parseAppVersion(version)?.text !== version) return undefined;
    try {
      // The archive itself, and nothing elsewhere that a link names.
      const path = `${this.#folder}/${id}/${version}.tar.gz`;
      if (!(await Deno.lstat(path)).isFile) return undefined;
      const file = await Deno.open(path);
      return { file, size: (await file.stat()).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #describe(id: string, version: string): Promise<Extension | undefined> {
    const path = `${this.#folder}/${id}/${version}`;
    try {
      const read = description.parse(JSON.parse(await Deno.readTextFile(`${path}.json`)));
      const changed = (await Deno.stat(`${path}.tar.gz`)).mtime ?? new Date(0);
      const published_at = read.published_at ?? changed.toISOString();
      return { ...read, id, version, published_at, download_count: 0 };
    } catch (error) {
      this.#log.warn("Extension {id} {version} is left out: its JSON file: {error}", {
        id,
        version,
        error,
      });
      return undefined;
    }
  }
}

/** The kinds as clients of that `User-Agent` can read them: one unknown word empties their gallery. */
export function forClient(one: Extension, userAgent: string | null): Extension {
  const version = parseAppVersion(/^Zed(?:-\w+)?\/(\S+)/.exec(userAgent ?? "")?.[1] ?? "");
  const known = version !== undefined && !isOlder(version, 1, 0, 0) ? NEW_KINDS : OLD_KINDS;
  return { ...one, provides: one.provides.filter((kind) => known.has(kind)) };
}

function isWithin(one: Extension, { minSchema, maxSchema, minWasm, maxWasm }: ExtensionBounds) {
  if (one.schema_version < minSchema || one.schema_version > maxSchema) return false;
  if (one.wasm_api_version === undefined) return true;
  return (minWasm === undefined || compare(one.wasm_api_version, minWasm.text) >= 0) &&
    (maxWasm === undefined || compare(one.wasm_api_version, maxWasm.text) <= 0);
}

/** Below 0 when the first is older; both must be versions. */
function compare(a: string, b: string): number {
  const [x, y] = [parseAppVersion(a)!, parseAppVersion(b)!];
  return x.major - y.major || x.minor - y.minor || x.patch - y.patch ||
    // A prerelease comes before its release.
    Number(x.prerelease === "") - Number(y.prerelease === "") ||
    (x.prerelease < y.prerelease ? -1 : Number(x.prerelease > y.prerelease));
}

function isSubsequence(letters: string, text: string): boolean {
  let at = 0;
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
