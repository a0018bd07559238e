/** A host's part of project search, in the form of 2026. [projects 9.6] */
import type { SearchQuery } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import type { CollabClient } from "./collab_client.ts";
import { globMatcher } from "./glob.ts";
import type { HostBuffers } from "./host_buffers.ts";
import type { HostWorktree } from "./host_worktree.ts";
import { samePeer } from "./same_peer.ts";

/** Buffers that one message names. */
const CHUNK = 64;

/** Larger files are left out of a search, bytes. */
const LARGEST_FILE = 8n * 1024n * 1024n;

/** What is searched. */
export interface SearchPlace {
  readonly client: CollabClient;
  readonly projectId: bigint;
  readonly worktrees: () => Iterable<HostWorktree>;
  readonly buffers: HostBuffers;
}

interface Search {
  readonly peer: PeerId;
  readonly handle: bigint;
  isCancelled: boolean;
}

/** The searches of a project's guests that run. */
export class HostSearch {
  readonly #place: SearchPlace;
  readonly #running = new Set<Search>();

  constructor(place: SearchPlace) {
    this.#place = place;
  }

  /** Starts to search; what is found goes to the guest in messages of its own. */
  start(query: SearchQuery, limit: bigint, handle: bigint, peer: PeerId): void {
    const test = textMatcher(query);
    const search: Search = { peer, handle, isCancelled: false };
    this.#running.add(search);
    this.#run(search, query, test, Number(limit))
      // A guest that has gone ends its search.
      .catch(() => {})
      .finally(() => this.#running.delete(search));
  }

  /** Ends a search that its guest wants no more. */
  cancel(handle: bigint, peer: PeerId): void {
    for (const search of this.#running) {
      if (search.handle === handle && samePeer(search.peer, peer)) search.isCancelled = true;
    }
  }

  async #run(
    search: Search,
    query: SearchQuery,
    test: (text: string) => boolean,
    limit: number,
  ): Promise<void> {
    let found: bigint[] = [];
    let count = 0;
    for await (const bufferId of this.#matches(search, query, test)) {
      found.push(bufferId);
      count++;
      if (found.length === CHUNK) {
        await this.#tell(search, { matches: { bufferIds: found } });
        found = [];
      }
      if (count === limit) break;
    }
    if (search.isCancelled) return;
    if (found.length > 0) await this.#tell(search, { matches: { bufferIds: found } });
    await this.#tell(search, { done: {} });
  }

  async *#matches(
    search: Search,
    query: SearchQuery,
    test: (text: string) => boolean,
  ): AsyncGenerator<bigint> {
    const { buffers, worktrees } = this.#place;
    const isIncluded = pathMatcher(query);
    for (const worktree of worktrees()) {
      for (const entry of [...worktree.entries]) {
        if (search.isCancelled) return;
        const isSearched = !entry.isDir && !entry.isFifo && !entry.isExternal &&
          (query.includeIgnored || !entry.isIgnored) && (entry.size ?? 0n) <= LARGEST_FILE;
        const path = query.matchFullPaths ? `${worktree.files.rootName}/${entry.path}` : entry.path;
        if (!isSearched || !isIncluded(path)) continue;
        const open = buffers.openAt(worktree, entry.path);
        const text = open?.text ?? await readQuietly(worktree, entry.path);
        if (text === undefined || !test(text)) continue;
        const buffer = open ?? await buffers.open(worktree, entry.path).catch(() => undefined);
        if (buffer !== undefined) yield buffers.share(buffer, search.peer).bufferId;
      }
    }
  }

  async #tell(
    { peer, handle }: Search,
    variant: { matches: { bufferIds: bigint[] } } | { done: Record<string, never> },
  ): Promise<void> {
    const { client, projectId } = this.#place;
    await client.request("FindSearchCandidatesChunk", {
      projectId,
      peerId: peer,
      handle,
      ...variant,
    });
  }
}

async function readQuietly(worktree: HostWorktree, path: string): Promise<string | undefined> {
  try {
    const bytes = await worktree.files.read(path);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not there any more, not readable, or no text: nothing to find.
    return undefined;
  }
}

/** Tells whether a text has what is searched. @throws {SyntaxError} the expression is none. */
function textMatcher(query: SearchQuery): (text: string) => boolean {
  const { regex, wholeWord, caseSensitive } = query;
  const source = regex ? query.query : query.query.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const bounded = wholeWord ? `(?<![\\p{L}\\p{N}_])(?:${source})(?![\\p{L}\\p{N}_])` : source;
  const expression = new RegExp(bounded, caseSensitive ? "mu" : "imu");
  return (text) => expression.test(text);
}

function pathMatcher(query: SearchQuery): (path: string) => boolean {
  const split = (legacy: string) => legacy.split(",").map((glob) => glob.trim()).filter(Boolean);
  const included = [...query.filesToInclude, ...split(query.filesToIncludeLegacy)]
    .map(globMatcher);
  const excluded = [...query.filesToExclude, ...split(query.filesToExcludeLegacy)]
    .map(globMatcher);
  return (path) =>
    (included.length === 0 || included.some((matches) => matches(path))) &&
    !excluded.some((matches) => matches(path));
}
