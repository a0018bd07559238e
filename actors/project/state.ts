/** What a project consists of. [projects 2] */
import type { Collaborator as WireCollaborator, WorktreeMetadata } from "../../proto/mod.ts";
import { peerIdOf, type PeerKey } from "../../rpc/peer_id.ts";
import { OpenQueries } from "./open_queries.ts";
import type { Repository } from "./repository.ts";
import { Worktree } from "./worktree.ts";

/** First replica id of a guest, for clients of both years. [projects 6.2] */
export const FIRST_GUEST_REPLICA = 8;
/** Replica ids are 16 bits in clients. */
const LAST_REPLICA = 65_533;

export interface Collaborator {
  /** Changed by {@link ProjectState.rebind} only. */
  key: PeerKey;
  readonly userId: number;
  readonly replicaId: number;
  readonly isHost: boolean;
  readonly committerName: string | undefined;
  readonly committerEmail: string | undefined;
}

export interface SettingsFile {
  readonly worktreeId: bigint;
  readonly path: string;
  readonly kind: number;
  readonly content: string;
  readonly outsideWorktree: boolean;
}

export interface DiagnosticSummary {
  readonly worktreeId: bigint;
  readonly path: string;
  readonly languageServerId: bigint;
  /** The host's own `DiagnosticSummary`. */
  readonly bytes: Uint8Array;
}

export interface LanguageServer {
  /** The host's own `LanguageServer`. */
  readonly bytes: Uint8Array;
  readonly name: string;
  /** JSON text as the host sent it, `{}` when it sent none. */
  capabilities: string;
}

export class ProjectState {
  readonly id: number;
  readonly roomId: number;
  readonly hostUserId: number;
  hostKey: PeerKey;
  readonly windowsPaths: boolean;
  readonly features: readonly string[];
  readonly collaborators = new Map<number, Collaborator>();
  /** Collaborators that are not the host, for the hot path. */
  guests: Collaborator[] = [];
  readonly worktrees = new Map<bigint, Worktree>();
  readonly repositories = new Map<bigint, Repository>();
  readonly languageServers = new Map<bigint, LanguageServer>();
  /** Keyed by worktree, path and kind; may name a worktree that is not there yet. [projects 7.6] */
  readonly settings = new Map<string, SettingsFile>();
  /** Keyed by worktree, path and server. [projects 7.5] */
  readonly diagnostics = new Map<string, DiagnosticSummary>();
  readonly queries = new OpenQueries();
  readonly #byKey = new Map<PeerKey, Collaborator>();

  constructor(init: {
    id: number;
    roomId: number;
    hostUserId: number;
    hostKey: PeerKey;
    windowsPaths: boolean;
    features: readonly string[];
  }) {
    this.id = init.id;
    this.roomId = init.roomId;
    this.hostUserId = init.hostUserId;
    this.hostKey = init.hostKey;
    this.windowsPaths = init.windowsPaths;
    this.features = init.features;
  }

  add(collaborator: Collaborator): void {
    this.collaborators.set(collaborator.replicaId, collaborator);
    this.#byKey.set(collaborator.key, collaborator);
    this.#listGuests();
  }

  delete(collaborator: Collaborator): void {
    this.collaborators.delete(collaborator.replicaId);
    this.#unbind(collaborator);
    this.#listGuests();
  }

  /** Moves a collaborator to another connection; of the host's, the project is told elsewhere. */
  rebind(collaborator: Collaborator, key: PeerKey): void {
    if (collaborator.key === key) return;
    this.#unbind(collaborator);
    collaborator.key = key;
    this.#byKey.set(key, collaborator);
  }

  collaborator(key: PeerKey): Collaborator | undefined {
    return this.#byKey.get(key);
  }

  /** The smallest free replica id for a guest; undefined when all are taken. [projects 6.2] */
  freeReplicaId(): number | undefined {
    for (let id = FIRST_GUEST_REPLICA; id <= LAST_REPLICA; id++) {
      if (!this.collaborators.has(id)) return id;
    }
    return undefined;
  }

  sortedWorktrees(): Worktree[] {
    return [...this.worktrees.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  settingsOf(worktreeId: bigint): SettingsFile[] {
    return [...this.settings.values()].filter((file) => file.worktreeId === worktreeId);
  }

  diagnosticsOf(worktreeId: bigint): DiagnosticSummary[] {
    return [...this.diagnostics.values()].filter((one) => one.worktreeId === worktreeId);
  }

  /** Nobody answers or awaits queries over a connection that is gone. [projects 8.6] */
  #unbind(collaborator: Collaborator): void {
    this.#byKey.delete(collaborator.key);
    if (collaborator.isHost) this.queries.clear();
    else this.queries.forgetGuest(collaborator.key);
  }

  #listGuests(): void {
    this.guests = [...this.collaborators.values()].filter((one) => !one.isHost);
  }
}

export function settingsKey(worktreeId: bigint, path: string, kind: number): string {
  return `${worktreeId}\0${kind}\0${path}`;
}

export function diagnosticKey(worktreeId: bigint, path: string, serverId: bigint): string {
  return `${worktreeId}\0${serverId}\0${path}`;
}

export function wireCollaborator(one: Collaborator): WireCollaborator {
  return {
    peerId: peerIdOf(one.key),
    replicaId: one.replicaId,
    userId: BigInt(one.userId),
    isHost: one.isHost,
    committerName: one.committerName,
    committerEmail: one.committerEmail,
  };
}

export function wireWorktree(worktree: Worktree): WorktreeMetadata {
  return {
    id: worktree.id,
    rootName: worktree.rootName,
    visible: worktree.visible,
    absPath: worktree.absPath,
    rootRepoCommonDir: undefined,
  };
}
