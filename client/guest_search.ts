/** A guest's part of project search, in the form of 2026. [projects 9.6] */
import type { FindSearchCandidatesChunk, Init, SearchQuery } from "../proto/mod.ts";
import type { CollabClient } from "./collab_client.ts";
import { ResponseStream } from "./response_stream.ts";

/** The searches that wait for the host. */
export class GuestSearches {
  readonly #client: CollabClient;
  readonly #projectId: bigint;
  readonly #running = new Map<bigint, ResponseStream<bigint>>();
  #lastHandle = 0n;

  constructor(client: CollabClient, projectId: bigint) {
    this.#client = client;
    this.#projectId = projectId;
  }

  /** Starts a search; yields ids of buffers, which the host sends before it names them. */
  start(query: Init<SearchQuery>, limit: number): AsyncIterable<bigint> {
    const handle = ++this.#lastHandle;
    const projectId = this.#projectId;
    const stream = new ResponseStream<bigint>(() => {
      if (!this.#running.delete(handle)) return;
      this.#client.send("FindSearchCandidatesCancelled", { projectId, handle });
    });
    this.#running.set(handle, stream);
    this.#client.request("FindSearchCandidates", {
      projectId,
      query,
      limit: BigInt(limit),
      handle,
    }).catch((error) => {
      this.#running.delete(handle);
      stream.fail(error);
    });
    return stream;
  }

  /** Takes what the host has found. */
  onChunk({ handle, matches, done }: FindSearchCandidatesChunk): void {
    const stream = this.#running.get(handle);
    if (stream === undefined) throw new Error(`No search has the handle ${handle}`);
    for (const bufferId of matches?.bufferIds ?? []) stream.push(bufferId);
    if (done === undefined) return;
    this.#running.delete(handle);
    stream.end();
  }

  /** Nothing will come any more. */
  end(error: Error): void {
    for (const stream of this.#running.values()) stream.fail(error);
    this.#running.clear();
  }
}
