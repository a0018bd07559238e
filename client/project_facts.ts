/** What a host tells of a project besides its trees and buffers, as a guest keeps it. [projects 7] */
import type {
  DiagnosticSummary,
  Init,
  LanguageServer,
  RejoinRepository,
  RemoveRepository,
  StartLanguageServer,
  StatusEntry,
  UpdateDiagnosticSummary,
  UpdateLanguageServer,
  UpdateRepository,
  UpdateWorktreeSettings,
} from "../proto/mod.ts";

/** A language server, with what it can do as JSON. */
export interface GuestLanguageServer {
  readonly server: LanguageServer;
  readonly capabilities: string;
  /** Messages of `UpdateLanguageServer` about it. */
  updates: number;
}

/** A repository. */
export interface GuestRepository {
  readonly id: bigint;
  /** The last message, for all that each message tells in full. */
  state: UpdateRepository;
  /** By path. */
  readonly statuses: Map<string, StatusEntry>;
  /** Number of the last change of which everything has come. [projects 7.4] */
  scanId: bigint;
}

/** Settings, diagnostics, repositories, language servers. */
export class ProjectFacts {
  readonly #settings = new Map<string, UpdateWorktreeSettings>();
  readonly #diagnostics = new Map<string, DiagnosticSummary & { readonly worktreeId: bigint }>();
  readonly #repositories = new Map<bigint, GuestRepository>();
  readonly #languageServers = new Map<bigint, GuestLanguageServer>();

  /** Settings files. */
  get settings(): UpdateWorktreeSettings[] {
    return [...this.#settings.values()];
  }

  /** Counts of errors and warnings, by file and language server. */
  get diagnostics(): (DiagnosticSummary & { readonly worktreeId: bigint })[] {
    return [...this.#diagnostics.values()];
  }

  /** Repositories, by their ids. */
  get repositories(): ReadonlyMap<bigint, GuestRepository> {
    return this.#repositories;
  }

  /** Language servers, by their ids. */
  get languageServers(): ReadonlyMap<bigint, GuestLanguageServer> {
    return this.#languageServers;
  }

  /** Takes a settings file, or that it is gone. [projects 7.6] */
  setSettings(update: UpdateWorktreeSettings): void {
    const key = `${update.worktreeId} ${update.kind ?? 0} ${update.path}`;
    if (update.content === undefined) this.#settings.delete(key);
    else this.#settings.set(key, update);
  }

  /** Forgets the settings, all of which come again after a rejoin. [projects 12.4] */
  clearSettings(): void {
    this.#settings.clear();
  }

  /** Takes counts of diagnostics. [projects 7.5] */
  setDiagnostics({ worktreeId, summary, moreSummaries }: UpdateDiagnosticSummary): void {
    for (const counts of summary === undefined ? [] : [summary, ...moreSummaries]) {
      const key = `${worktreeId} ${counts.languageServerId} ${counts.path}`;
      if (counts.errorCount + counts.warningCount === 0) this.#diagnostics.delete(key);
      else this.#diagnostics.set(key, { ...counts, worktreeId });
    }
  }

  /** Takes a part of a repository. [projects 7.3] */
  updateRepository(update: UpdateRepository): void {
    let repository = this.#repositories.get(update.id);
    if (repository === undefined) {
      repository = { id: update.id, state: update, statuses: new Map(), scanId: 0n };
      this.#repositories.set(update.id, repository);
    }
    repository.state = update;
    for (const path of update.removedStatuses) repository.statuses.delete(path);
    for (const status of update.updatedStatuses) {
      repository.statuses.set(status.repoPath, status);
    }
    if (update.isLastUpdate) repository.scanId = update.scanId;
  }

  /** A repository is gone. */
  removeRepository({ id }: RemoveRepository): void {
    this.#repositories.delete(id);
  }

  /** Takes the list of a join; those without capabilities are unpaired. [projects 6.3] */
  setLanguageServers(
    servers: readonly LanguageServer[],
    capabilities: readonly string[],
  ): void {
    this.#languageServers.clear();
    for (const [index, server] of servers.entries()) {
      const json = capabilities[index];
      if (json !== undefined) {
        this.#languageServers.set(server.id, { server, capabilities: json, updates: 0 });
      }
    }
  }

  /** A language server started. [projects 7.7] */
  startLanguageServer({ server, capabilities }: StartLanguageServer): void {
    if (server === undefined) return;
    this.#languageServers.set(server.id, { server, capabilities, updates: 0 });
  }

  /** Something happened to a language server. [projects 7.8] */
  updateLanguageServer({ languageServerId, removed }: UpdateLanguageServer): void {
    if (removed !== undefined) this.#languageServers.delete(languageServerId);
    const known = this.#languageServers.get(languageServerId);
    if (known !== undefined) known.updates++;
  }

  /** What `RejoinRoom` says about the repositories. [projects 12.2] */
  rejoin(): Init<RejoinRepository>[] {
    return [...this.#repositories.values()].map(({ id, scanId }) => ({ id, scanId }));
  }
}
