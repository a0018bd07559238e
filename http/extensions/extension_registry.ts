/**
 * The registry of extensions: `<id>/<version>.tar.gz` in a folder or a bucket, beside each archive its
 * `<id>/<version>.json`. Listed anew for each request: whoever puts files there need not tell anybody.
 * [transport 7.1]
 */
import { z } from "zod";
import type { ExtensionStore } from "../../db/extension_store.ts";
import { type AppVersion, isOlder, parseAppVersion } from "../../lib/app_version.ts";
import type { Log } from "../../lib/log.ts";
import type { ArchiveStore, OpenFile, StoredFile } from "./archive_store.ts";

/** What may name a folder or an archive: never a way out of the folder. */
export const ID = /^[a-z0-9][a-z0-9_-]{0,99}$/i;
/** Entries of one answer. [transport 7.1.3] */
export const MOST = 1000;

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
export const NEW_KINDS: ReadonlySet<string> = new Set([
  ...OLD_KINDS,
  "debug-adapters",
  "agent-servers",
]);

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

/** What stands in the JSON file beside an archive. */
export type Description = z.infer<typeof description>;

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

/** A version as operators see it. */
export interface PublishedVersion {
  readonly extension: Extension;
  /** Of this version alone. */
  readonly downloads: number;
  /** Unix milliseconds. */
  readonly yankedAt: number | null;
}

/** What an archive is given out as. */
export type Archive =
  | { readonly kind: "link"; readonly url: string }
  | { readonly kind: "file"; readonly file: OpenFile };

/** That version is there already: what was published is never another thing later. */
export class AlreadyPublishedError extends Error {
  override readonly name = "AlreadyPublishedError";
}

export class ExtensionRegistry {
  readonly #archives: ArchiveStore;
  readonly #store: ExtensionStore;
  readonly #log: Log;
  /** Descriptions that have been read, by key and tag. */
  #read = new Map<string, Description | undefined>();
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(archives: ArchiveStore, store: ExtensionStore, log: Log) {
    this.#archives = archives;
    this.#store = store;
    this.#log = log;
  }

  /** Where the archives are, for people. */
  get place(): string {
    return this.#archives.name;
  }

  /** All versions of one, yanked ones too, the newest first; none for an id that is not there. */
  async published(id: string): Promise<PublishedVersion[]> {
    return ID.test(id) ? (await this.#load(id)).get(id) ?? [] : [];
  }

  /** All versions of one that are offered, the newest first. */
  async versions(id: string): Promise<Extension[]> {
    return offered(await this.published(id));
  }

  /** The newest version of each that is asked for. */
  async newest(ids: readonly string[], bounds: ExtensionBounds): Promise<Extension[]> {
    const all = await this.#load();
    return ids.map((id) => offered(all.get(id) ?? []).find((one) => isWithin(one, bounds)))
      .filter((one) => one !== undefined);
  }

  /** The newest of one that a client can run. */
  async newestOf(id: string, bounds: ExtensionBounds | undefined): Promise<Extension | undefined> {
    const versions = await this.versions(id);
    return bounds === undefined ? versions[0] : versions.find((one) => isWithin(one, bounds));
  }

  /** The gallery: what has all of `provides` and whose name has the letters of `filter`. [transport 7.1.3] */
  async search(filter: string, provides: readonly string[], maxSchema: number) {
    const wanted = provides.filter((kind) => NEW_KINDS.has(kind));
    const text = filter.toLowerCase();
    return [...(await this.#load()).values()].map((versions) => offered(versions)[0])
      .filter((one) => one !== undefined)
      .filter((one) => one.schema_version <= maxSchema)
      .filter((one) => one.id === text || isSubsequence(text, one.name.toLowerCase()))
      .filter((one) => one.id === text || wanted.every((kind) => one.provides.includes(kind)))
      .toSorted((a, b) =>
        Number(b.id === text) - Number(a.id === text) ||
        b.download_count - a.download_count || (a.name < b.name ? -1 : Number(a.name > b.name))
      );
  }

  /** An archive to give out, also a yanked one; undefined when there is none. */
  async open(id: string, version: string): Promise<Archive | undefined> {
    const versions = await this.published(id);
    if (!versions.some(({ extension }) => extension.version === version)) return undefined;
    const key = `${id}/${version}.tar.gz`;
    const url = await this.#archives.link(key);
    if (url !== undefined) return { kind: "link", url };
    const file = await this.#archives.open(key);
    return file && { kind: "file", file };
  }

  /** Somebody gets an archive. Who waits for it is not kept waiting by a count that fails. */
  async countDownload(id: string, version: string): Promise<void> {
    try {
      await this.#store.countDownload(id, version);
    } catch (error) {
      this.#log.warn("A download of {id} {version} is not counted: {error}", {
        id,
        version,
        error,
      });
    }
  }

  /** Puts an archive into the registry. @throws {AlreadyPublishedError} {ArchiveStoreError} */
  async publish(
    id: string,
    version: string,
    description: Description,
    archive: Uint8Array,
  ): Promise<void> {
    const turn = this.#publishing.catch(() => {}).then(async () => {
      const archiveKey = `${id}/${version}.tar.gz`;
      if ((await this.#archives.list(id)).some(({ key }) => key === archiveKey)) {
        throw new AlreadyPublishedError(
          `${id} ${version} is published already; give a new version`,
        );
      }
      // The archive last: with it the version is there.
      const json = new TextEncoder().encode(JSON.stringify(description, undefined, 2));
      await this.#archives.put(`${id}/${version}.json`, json, "application/json");
      await this.#archives.put(archiveKey, archive, "application/gzip");
    });
    this.#publishing = turn;
    await turn;
  }

  /** Takes a version out of the lists, or back into them; false when there is none. */
  async setYanked(id: string, version: string, yanked: boolean): Promise<boolean> {
    const versions = await this.published(id);
    if (!versions.some(({ extension }) => extension.version === version)) return false;
    await this.#store.setYanked(id, version, yanked);
    return true;
  }

  async #load(id?: string): Promise<Map<string, PublishedVersion[]>> {
    const [files, allFacts] = await Promise.all([this.#archives.list(id), this.#store.facts()]);
    const facts = new Map(allFacts.map((one) => [`${one.id}/${one.version}`, one]));
    const byKey = new Map(files.map((file) => [file.key, file]));
    const read = await Promise.all(files.map(async ({ key, changedAt }) => {
      const [, id = "", version = ""] = /^([^/]+)\/([^/]+)\.tar\.gz$/.exec(key) ?? [];
      if (!ID.test(id) || parseAppVersion(version)?.text !== version) return undefined;
      const found = await this.#describe(id, version, byKey.get(`${id}/${version}.json`));
      if (found === undefined) return undefined;
      const { downloads = 0, yankedAt = null } = facts.get(`${id}/${version}`) ?? {};
      const published_at = found.published_at ?? changedAt.toISOString();
      const extension = { ...found, id, version, published_at, download_count: 0 };
      return { extension, downloads, yankedAt };
    }));
    const versions = Map.groupBy(
      read.filter((one) => one !== undefined),
      ({ extension }) => extension.id,
    );
    return new Map([...versions].map(([id, some]) => [id, withTotals(some)]));
  }

  async #describe(
    id: string,
    version: string,
    file: StoredFile | undefined,
  ): Promise<Description | undefined> {
    const key = `${id}/${version}.json ${file?.tag}`;
    if (this.#read.has(key)) return this.#read.get(key);
    let found: Description | undefined;
    try {
      found = description.parse(JSON.parse(await this.#archives.read(`${id}/${version}.json`)));
    } catch (error) {
      this.#log.warn("Extension {id} {version} is left out: its JSON file: {error}", {
        id,
        version,
        error,
      });
      // It may only not have been there yet, or not to be had.
      if (!(error instanceof z.ZodError)) return undefined;
    }
    if (this.#read.size > 10 * MOST) this.#read = new Map();
    this.#read.set(key, found);
    return found;
  }
}

/** The newest first, each with the downloads of all. */
function withTotals(versions: readonly PublishedVersion[]): PublishedVersion[] {
  const download_count = versions.reduce((sum, { downloads }) => sum + downloads, 0);
  return versions.map((one) => ({ ...one, extension: { ...one.extension, download_count } }))
    .toSorted((a, b) => compare(b.extension.version, a.extension.version));
}

function offered(versions: readonly PublishedVersion[]): Extension[] {
  return versions.filter(({ yankedAt }) => yankedAt === null).map(({ extension }) => extension);
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
