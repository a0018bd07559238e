/** What a project's host tells: stored, passed on to the guests, acknowledged. [projects 7] */
import { decode, encode, fieldNumber } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { concatBytes, FieldReader, lengthDelimited } from "../../rpc/fields.ts";
import { frameOf } from "../../rpc/frame.ts";
import { knowsBatchedDiagnostics } from "../../lib/app_version.ts";
import type { ProjectContext } from "./context.ts";
import { sharedFacts } from "./facts.ts";
import { reads } from "./forwarding.ts";
import { readRepositoryUpdate, Repository } from "./repository.ts";
import { diagnosticRow, repositoryRow, settingsRow, worktreeRow } from "./rows.ts";
import { diagnosticKey, type ProjectState, settingsKey } from "./state.ts";
import { settingsField } from "./streams.ts";
import { CHUNK, type EntryBytes, Worktree } from "./worktree.ts";
import type { MessageTypes, WorktreeMetadata } from "../../proto/mod.ts";
import { fieldOf, type Turn } from "../turn.ts";

/** Field numbers of `UpdateWorktree`. */
const UPDATED_ENTRIES = 4;
/** `Entry.id`. */
const ENTRY_ID = 1;
const ENTRY_MTIME = fieldNumber("Entry", "mtime");
/** `Entry.mtime` of an entry that came without: the epoch. [projects 7.1] */
const NO_MTIME = lengthDelimited(ENTRY_MTIME, new Uint8Array(0));
/** Kinds of settings files that clients know: Settings, Tasks, Editorconfig, Debug. */
const SETTINGS_KINDS = 4;

/**
 * Most that one message may list: far beyond what clients send, and little enough that storing it in
 * one turn keeps nobody waiting. A worktree update has its own limit. [design 6c]
 */
const MOST_WORKTREES = 4_096;
const MOST_STATUSES = 10_000;
const MOST_SUMMARIES = 50_000;

function checkCount(what: string, count: number, most: number): void {
  if (count > most) throw RpcError.internal(`invalid update: ${count} ${what}, at most ${most}`);
}

/** Look at a list before anything changes. @throws {RpcError} it is too long */
export function checkWorktreeList(list: readonly WorktreeMetadata[]): void {
  checkCount("worktrees", list.length, MOST_WORKTREES);
}

/** Passes the message on to every guest. [projects 7] */
function tellGuests({ turn, project, inbound }: ProjectContext): void {
  for (const guest of project.guests) {
    turn.forward(guest.key, inbound.original, inbound.connection.key);
  }
}

/** Makes the worktrees those of a complete, checked list: adds, renames, removes. [projects 5.2] */
export function applyWorktreeList(
  turn: Turn,
  project: ProjectState,
  list: readonly WorktreeMetadata[],
): void {
  const listed = new Set(list.map((one) => one.id));
  for (const worktree of [...project.worktrees.values()]) {
    if (!listed.has(worktree.id)) removeWorktree(turn, project, worktree.id);
  }
  for (const { id, rootName, absPath, visible } of list) {
    let worktree = project.worktrees.get(id);
    if (worktree === undefined) {
      worktree = new Worktree(id, rootName, absPath, visible);
      project.worktrees.set(id, worktree);
    } else {
      worktree.rootName = rootName;
      worktree.absPath = absPath;
      worktree.visible = visible;
    }
    turn.put("worktrees", worktreeRow(project.id, worktree));
  }
}

/**
 * Tells the guests all settings again: newer ones forget theirs with each list of worktrees, and some
 * may have come before their worktree. [projects 5.2] [projects 7.6] [projects 17.8]
 */
export function tellSettings(turn: Turn, project: ProjectState): void {
  const fields = [...project.worktrees.keys()]
    .flatMap((id) => project.settingsOf(id))
    .map((file) => settingsField(project.id, file));
  for (const { key } of project.guests) for (const field of fields) turn.push(key, field);
}

function removeWorktree(turn: Turn, project: ProjectState, id: bigint): void {
  project.worktrees.delete(id);
  for (const [key, file] of project.settings) {
    if (file.worktreeId === id) project.settings.delete(key);
  }
  for (const [key, one] of project.diagnostics) {
    if (one.worktreeId === id) project.diagnostics.delete(key);
  }
  turn.remove("worktrees", { project_id: project.id, id });
  for (const table of ["worktree_entries", "diagnostic_summaries", "worktree_settings"] as const) {
    turn.remove(table, { project_id: project.id, worktree_id: id });
  }
}

/** [projects 5.2] */
export function handleUpdateProject(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const { worktrees } = decode("UpdateProject", inbound.payload);
  checkWorktreeList(worktrees);
  applyWorktreeList(turn, project, worktrees);
  turn.happened("project.changed", () => sharedFacts(project));
  tellGuests(context);
  tellSettings(turn, project);
  context.updateRoom();
  turn.ack(inbound.connection, inbound.requestId);
}

/** [projects 7.1] */
export function handleUpdateWorktree(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  // The payload is only borrowed, and one copy for all entries of the message is the cheapest.
  const bytes = inbound.payload.slice();
  const scalars: [number, number][] = [];
  const entries: { start: number; end: number }[] = [];
  const fields = new FieldReader(bytes);
  while (fields.next()) {
    if (fields.number === UPDATED_ENTRIES) entries.push({ start: fields.start, end: fields.end });
    else scalars.push([fields.fieldStart, fields.end]);
  }
  const update = decode("UpdateWorktree", joined(bytes, scalars));
  if (entries.length > CHUNK || update.removedEntries.length > CHUNK) {
    throw RpcError.internal(
      `invalid worktree update: ${entries.length} updated and ${update.removedEntries.length} removed entries, at most ${CHUNK} each are allowed`,
    );
  }
  const worktree = project.worktrees.get(update.worktreeId);
  if (worktree === undefined) {
    throw RpcError.internal(`no such worktree: ${update.worktreeId} in project ${project.id}`);
  }
  // All of them before anything changes: an entry that cannot be read must leave no trace.
  const updated = entries.map(({ start, end }) => readEntry(bytes, start, end));
  worktree.rootName = update.rootName;
  worktree.absPath = update.absPath;
  worktree.rootRepoCommonDir = update.rootRepoCommonDir;
  worktree.scanId = update.scanId;
  if (update.isLastUpdate) worktree.completedScanId = update.scanId;
  turn.put("worktrees", worktreeRow(project.id, worktree));
  const row = { project_id: project.id, worktree_id: worktree.id, scan_id: update.scanId };
  for (const { id, entry } of updated) {
    worktree.put(id, update.scanId, entry);
    turn.put("worktree_entries", {
      ...row,
      id,
      entry: entry.buffer.subarray(entry.start, entry.end),
    });
  }
  for (const id of update.removedEntries) {
    if (worktree.remove(id, update.scanId)) {
      turn.put("worktree_entries", { ...row, id, entry: null });
    }
  }
  tellGuests(context);
  turn.ack(inbound.connection, inbound.requestId);
}

function readEntry(
  buffer: Uint8Array,
  start: number,
  end: number,
): { readonly id: bigint; readonly entry: EntryBytes } {
  const fields = new FieldReader(buffer, start, end);
  let id = 0n;
  let hasMtime = false;
  while (fields.next()) {
    if (fields.number === ENTRY_ID) id = fields.bigint();
    else if (fields.number === ENTRY_MTIME) hasMtime = true;
  }
  if (hasMtime) return { id, entry: { buffer, start, end } };
  const dated = concatBytes([buffer.subarray(start, end), NO_MTIME]);
  return { id, entry: { buffer: dated, start: 0, end: dated.length } };
}

function joined(bytes: Uint8Array, ranges: readonly [number, number][]): Uint8Array {
  const whole = new Uint8Array(ranges.reduce((sum, [from, to]) => sum + to - from, 0));
  let at = 0;
  for (const [from, to] of ranges) {
    whole.set(bytes.subarray(from, to), at);
    at += to - from;
  }
  return whole;
}

/** [projects 7.3] */
export function handleUpdateRepository(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const update = readRepositoryUpdate(inbound.payload);
  checkCount("updated statuses", update.updatedStatuses.length, MOST_STATUSES);
  checkCount("removed statuses", update.removedStatuses.length, MOST_STATUSES);
  const row = { project_id: project.id, repository_id: update.id, scan_id: update.scanId };
  let repository = project.repositories.get(update.id);
  if (repository === undefined) {
    repository = new Repository(update.id);
    project.repositories.set(update.id, repository);
  }
  // What it had before it was removed is not there any more, unless it is told again.
  for (const path of repository.deleted ? repository.bury(update.scanId) : []) {
    turn.put("repository_statuses", { ...row, repo_path: path, status: null });
  }
  repository.scanId = update.scanId;
  repository.state = update.state;
  if (update.isLast) repository.branches = update.branches;
  turn.put("repositories", repositoryRow(project.id, repository));
  for (const { path, status } of update.updatedStatuses) {
    repository.statuses.set(path, { scanId: update.scanId, bytes: status });
    turn.put("repository_statuses", { ...row, repo_path: path, status });
  }
  for (const path of update.removedStatuses) {
    repository.statuses.set(path, { scanId: update.scanId, bytes: undefined });
    turn.put("repository_statuses", { ...row, repo_path: path, status: null });
  }
  tellGuests(context);
  turn.ack(inbound.connection, inbound.requestId);
}

/** [projects 7.3] */
export function handleRemoveRepository(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const { id } = decode("RemoveRepository", inbound.payload);
  const repository = project.repositories.get(id);
  if (repository !== undefined) {
    repository.deleted = true;
    turn.put("repositories", repositoryRow(project.id, repository));
  }
  tellGuests(context);
  turn.ack(inbound.connection, inbound.requestId);
}

/** [projects 7.5] */
export function handleUpdateDiagnosticSummary(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const update = decode("UpdateDiagnosticSummary", inbound.payload);
  if (update.summary === undefined) throw RpcError.internal("invalid summary: none was sent");
  checkCount("summaries", update.moreSummaries.length, MOST_SUMMARIES);
  if (!project.worktrees.has(update.worktreeId)) {
    throw RpcError.internal(`no such worktree: ${update.worktreeId} in project ${project.id}`);
  }
  for (const summary of [update.summary, ...update.moreSummaries]) {
    const one = {
      worktreeId: update.worktreeId,
      path: summary.path,
      languageServerId: summary.languageServerId,
      bytes: encode("DiagnosticSummary", summary),
    };
    project.diagnostics.set(
      diagnosticKey(one.worktreeId, one.path, one.languageServerId),
      one,
    );
    turn.put("diagnostic_summaries", diagnosticRow(project.id, one));
  }
  tellGuests(context);
  tellSingly(context, update);
}

/**
 * Clients of 2025 take the first summary of a batch and pass over the others: they are sent each of
 * them by itself, as at their join. [projects 6.4] [projects 18]
 */
function tellSingly(
  { system, turn, project, inbound }: ProjectContext,
  { projectId, worktreeId, moreSummaries }: MessageTypes["UpdateDiagnosticSummary"],
): void {
  if (moreSummaries.length === 0) return;
  const older = project.guests.filter(({ key }) =>
    !reads(system.registry, key, knowsBatchedDiagnostics)
  );
  if (older.length === 0) return;
  for (const summary of moreSummaries) {
    const field = fieldOf("UpdateDiagnosticSummary", { projectId, worktreeId, summary });
    const message = frameOf(field).slice();
    for (const { key } of older) turn.forward(key, message, inbound.connection.key);
  }
}

/** [projects 7.6] May come before its worktree: kept, and shown when the worktree is there. */
export function handleUpdateWorktreeSettings(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const update = decode("UpdateWorktreeSettings", inbound.payload);
  const kind = update.kind ?? 0;
  if (kind < 0 || kind >= SETTINGS_KINDS) {
    throw RpcError.internal(`unknown kind of settings: ${kind}`);
  }
  const key = settingsKey(update.worktreeId, update.path, kind);
  if (update.content === undefined) {
    project.settings.delete(key);
    turn.remove("worktree_settings", {
      project_id: project.id,
      worktree_id: update.worktreeId,
      path: update.path,
      kind,
    });
  } else {
    const file = {
      worktreeId: update.worktreeId,
      path: update.path,
      kind,
      content: update.content,
      outsideWorktree: update.outsideWorktree ?? false,
    };
    project.settings.set(key, file);
    turn.put("worktree_settings", settingsRow(project.id, file));
  }
  tellGuests(context);
}

/** [projects 7.7] */
export function handleStartLanguageServer(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const { server, capabilities } = decode("StartLanguageServer", inbound.payload);
  if (server === undefined) throw RpcError.internal("invalid language server: none was sent");
  const one = {
    bytes: encode("LanguageServer", server),
    name: server.name,
    capabilities: capabilities === "" ? "{}" : capabilities,
  };
  project.languageServers.set(server.id, one);
  turn.put("language_servers", {
    project_id: project.id,
    id: server.id,
    server: one.bytes,
    capabilities: one.capabilities,
  });
  tellGuests(context);
}

/** [projects 7.8] From the host or a guest, to all others. */
export function handleUpdateLanguageServer(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const update = decode("UpdateLanguageServer", inbound.payload);
  const fromHost = inbound.connection.key === project.hostKey;
  const server = project.languageServers.get(update.languageServerId);
  const capabilities = update.metadataUpdated?.capabilities;
  if (fromHost && server !== undefined && capabilities !== undefined) {
    server.capabilities = capabilities;
    turn.put("language_servers", {
      project_id: project.id,
      id: update.languageServerId,
      server: server.bytes,
      capabilities,
    });
  }
  if (fromHost && server !== undefined && update.removed !== undefined) {
    project.languageServers.delete(update.languageServerId);
    turn.remove("language_servers", { project_id: project.id, id: update.languageServerId });
  }
  for (const one of project.collaborators.values()) {
    if (one.key !== inbound.connection.key) {
      turn.forward(one.key, inbound.original, inbound.connection.key);
    }
  }
}
