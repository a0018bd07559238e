/** What a guest is sent behind its join or rejoin answer, made as its socket drains. */
import { encode, messageInfo } from "../../proto/mod.ts";
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import { payloadField } from "../../rpc/frame.ts";
import type { Outgoing } from "../../rpc/outbox.ts";
import type { ProjectState, SettingsFile } from "./state.ts";
import type { Repository } from "./repository.ts";
import { CHUNK, type EncodedChunk, encodeEntries, type Worktree } from "./worktree.ts";
import { fieldOf } from "../turn.ts";

const tagOf = (name: Parameters<typeof messageInfo>[0]) => messageInfo(name).tag as number;

const UPDATE_WORKTREE = tagOf("UpdateWorktree");
const UPDATE_REPOSITORY = tagOf("UpdateRepository");
const UPDATE_DIAGNOSTICS = tagOf("UpdateDiagnosticSummary");
/** `UpdateRepository.updated_statuses`. */
const UPDATED_STATUSES = 6;
/** `UpdateDiagnosticSummary.summary` and `.more_summaries`. */
const SUMMARY = 3;
const MORE_SUMMARIES = 4;

/** What the client had of a project when it was cut off. [projects 12.2] */
export interface Known {
  /** Last completed scan by worktree. */
  readonly worktrees: ReadonlyMap<bigint, bigint>;
  /** Scan by repository. */
  readonly repositories: ReadonlyMap<bigint, bigint>;
}

/**
 * The join stream. What it tells is fixed at this call; it is encoded message by message later.
 * [projects 6.4]
 */
export function joinStream(project: ProjectState, batched: boolean): Iterator<Outgoing, void> {
  return chain([
    ...project.sortedWorktrees().flatMap((worktree) => [
      wholeTree(project.id, worktree),
      diagnostics(project, worktree, batched),
      settings(project, worktree.id),
    ]),
    ...[...project.repositories.values()]
      .filter((repository) => !repository.deleted)
      .map((repository) => repositoryChunks(project.id, repository, undefined)),
    languageServers(project),
  ]);
}

/** The rejoin stream: what changed since, and all settings and diagnostics. [projects 12.5] */
export function rejoinStream(
  project: ProjectState,
  known: Known,
  batched: boolean,
): Iterator<Outgoing, void> {
  const live: Iterable<Outgoing>[] = [];
  const removed: Outgoing[] = [];
  for (const repository of project.repositories.values()) {
    const since = known.repositories.get(repository.id);
    if (repository.deleted) {
      if (since !== undefined) removed.push(removeRepository(project.id, repository.id));
    } else if (since === undefined || repository.scanId > since) {
      live.push(repositoryChunks(project.id, repository, since));
    }
  }
  return chain([
    ...project.sortedWorktrees().flatMap((worktree) => [
      treeSince(project.id, worktree, known.worktrees.get(worktree.id)),
      diagnostics(project, worktree, batched),
      settings(project, worktree.id),
    ]),
    ...live,
    removed,
  ]);
}

function* chain(parts: readonly Iterable<Outgoing>[]): Generator<Outgoing, void> {
  for (const part of parts) yield* part;
}

function message(field: Uint8Array): Outgoing {
  return { kind: "message", field, respondingTo: -1 };
}

interface TreeHeader {
  readonly chunk: Uint8Array;
  readonly last: Uint8Array;
}

/** Everything of `UpdateWorktree` but its lists, as it is now. */
function treeHeader(projectId: number, worktree: Worktree): TreeHeader {
  const header = {
    projectId: BigInt(projectId),
    worktreeId: worktree.id,
    rootName: worktree.rootName,
    absPath: worktree.absPath,
    scanId: worktree.scanId,
    rootRepoCommonDir: worktree.rootRepoCommonDir,
  };
  return {
    chunk: encode("UpdateWorktree", { ...header, isLastUpdate: false }),
    last: encode("UpdateWorktree", { ...header, isLastUpdate: worktree.complete }),
  };
}

function treeChunk(head: Uint8Array, chunk: EncodedChunk): Outgoing {
  return {
    kind: "split",
    tag: UPDATE_WORKTREE,
    head,
    tail: chunk.frame,
    tailPlainLength: chunk.plainLength,
  };
}

function wholeTree(projectId: number, worktree: Worktree): Iterable<Outgoing> {
  const header = treeHeader(projectId, worktree);
  const chunks = worktree.snapshot();
  return (function* () {
    let held: EncodedChunk | undefined;
    for (const chunk of chunks) {
      if (held !== undefined) yield treeChunk(header.chunk, held);
      held = chunk;
    }
    if (held !== undefined) yield treeChunk(header.last, held);
  })();
}

function treeSince(
  projectId: number,
  worktree: Worktree,
  scanId: bigint | undefined,
): Iterable<Outgoing> {
  if (scanId === undefined) return wholeTree(projectId, worktree);
  const header = treeHeader(projectId, worktree);
  const { updated, removed } = worktree.since(scanId);
  return (function* () {
    const chunks = Math.max(
      1,
      Math.ceil(updated.length / CHUNK),
      Math.ceil(removed.length / CHUNK),
    );
    for (let index = 0; index < chunks; index++) {
      const from = index * CHUNK;
      const head = index === chunks - 1 ? header.last : header.chunk;
      const ids = removed.slice(from, from + CHUNK);
      yield treeChunk(
        ids.length === 0
          ? head
          : concatBytes([head, encode("UpdateWorktree", { removedEntries: ids })]),
        encodeEntries(updated.slice(from, from + CHUNK)),
      );
    }
  })();
}

function diagnostics(
  project: ProjectState,
  worktree: Worktree,
  batched: boolean,
): Iterable<Outgoing> {
  const summaries = project.diagnosticsOf(worktree.id);
  const header = encode("UpdateDiagnosticSummary", {
    projectId: BigInt(project.id),
    worktreeId: worktree.id,
  });
  const tell = (parts: Uint8Array[]) =>
    message(payloadField(UPDATE_DIAGNOSTICS, concatBytes([header, ...parts])));
  return (function* () {
    const [first, ...rest] = summaries;
    if (first === undefined) return;
    if (batched) {
      yield tell([
        lengthDelimited(SUMMARY, first.bytes),
        ...rest.map((one) => lengthDelimited(MORE_SUMMARIES, one.bytes)),
      ]);
    } else for (const one of summaries) yield tell([lengthDelimited(SUMMARY, one.bytes)]);
  })();
}

function settings(project: ProjectState, worktreeId: bigint): Iterable<Outgoing> {
  const files = project.settingsOf(worktreeId);
  return (function* () {
    for (const file of files) yield message(settingsField(project.id, file));
  })();
}

/** One settings file as guests are told of it. */
export function settingsField(projectId: number, file: SettingsFile): Uint8Array {
  return fieldOf("UpdateWorktreeSettings", {
    projectId: BigInt(projectId),
    worktreeId: file.worktreeId,
    path: file.path,
    content: file.content,
    kind: file.kind,
    outsideWorktree: file.outsideWorktree,
  });
}

/** [projects 7.4] */
function repositoryChunks(
  projectId: number,
  repository: Repository,
  since: bigint | undefined,
): Iterable<Outgoing> {
  const head = concatBytes([
    encode("UpdateRepository", { projectId: BigInt(projectId), id: repository.id }),
    repository.state,
  ]);
  const branches = repository.branches;
  const { updated, removed } = repository.statusesSince(since);
  const tell = (parts: Uint8Array[]) =>
    message(payloadField(UPDATE_REPOSITORY, concatBytes([head, ...parts])));
  return (function* () {
    for (let from = 0; from < Math.max(updated.length, removed.length); from += CHUNK) {
      yield tell([
        ...updated.slice(from, from + CHUNK).map((one) => lengthDelimited(UPDATED_STATUSES, one)),
        encode("UpdateRepository", { removedStatuses: removed.slice(from, from + CHUNK) }),
      ]);
    }
    yield tell([branches, encode("UpdateRepository", { isLastUpdate: true })]);
  })();
}

function removeRepository(projectId: number, id: bigint): Outgoing {
  return message(fieldOf("RemoveRepository", { projectId: BigInt(projectId), id }));
}

/** Makes the guest refresh its diagnostics views. [projects 6.4] */
function languageServers(project: ProjectState): Iterable<Outgoing> {
  const servers = [...project.languageServers].map(([id, { name }]) => ({ id, name }));
  return servers.map(({ id, name }) =>
    message(fieldOf("UpdateLanguageServer", {
      projectId: BigInt(project.id),
      languageServerId: id,
      serverName: name,
      diskBasedDiagnosticsUpdated: {},
    }))
  );
}
