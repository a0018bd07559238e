/** The rows of a project: what is written for each change, and how a project is read back. */
import type { Store } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { concatBytes, FieldReader, lengthDelimited } from "../../rpc/fields.ts";
import { keyId, keyOwner, peerKey } from "../../rpc/peer_id.ts";
import { decode } from "../../proto/mod.ts";
import { Repository } from "./repository.ts";
import {
  type Collaborator,
  diagnosticKey,
  type DiagnosticSummary,
  ProjectState,
  type SettingsFile,
  settingsKey,
} from "./state.ts";
import { Worktree } from "./worktree.ts";

export function projectRow(project: ProjectState): RowOf<"projects"> {
  return {
    id: project.id,
    room_id: project.roomId,
    host_user_id: project.hostUserId,
    host_owner: keyOwner(project.hostKey),
    host_id: keyId(project.hostKey),
    windows_paths: project.windowsPaths,
    features: JSON.stringify(project.features),
  };
}

export function collaboratorRow(
  projectId: number,
  one: Collaborator,
): RowOf<"project_collaborators"> {
  return {
    project_id: projectId,
    replica_id: one.replicaId,
    user_id: one.userId,
    connection_owner: keyOwner(one.key),
    connection_id: keyId(one.key),
    is_host: one.isHost,
    committer_name: one.committerName ?? null,
    committer_email: one.committerEmail ?? null,
  };
}

export function worktreeRow(projectId: number, worktree: Worktree): RowOf<"worktrees"> {
  return {
    project_id: projectId,
    id: worktree.id,
    root_name: worktree.rootName,
    abs_path: worktree.absPath,
    visible: worktree.visible,
    scan_id: worktree.scanId,
    completed_scan_id: worktree.completedScanId,
    root_repo_common_dir: worktree.rootRepoCommonDir ?? null,
  };
}

export function settingsRow(
  projectId: number,
  file: SettingsFile,
): RowOf<"worktree_settings"> {
  return {
    project_id: projectId,
    worktree_id: file.worktreeId,
    path: file.path,
    kind: file.kind,
    content: file.content,
    outside_worktree: file.outsideWorktree,
  };
}

export function diagnosticRow(
  projectId: number,
  one: DiagnosticSummary,
): RowOf<"diagnostic_summaries"> {
  return {
    project_id: projectId,
    worktree_id: one.worktreeId,
    path: one.path,
    language_server_id: one.languageServerId,
    summary: one.bytes,
  };
}

/** Scalar state and branch list in one column, each as a length-delimited part. */
export function repositoryRow(
  projectId: number,
  repository: Repository,
): RowOf<"repositories"> {
  return {
    project_id: projectId,
    id: repository.id,
    scan_id: repository.scanId,
    state: repository.deleted ? null : concatBytes([
      lengthDelimited(1, repository.state),
      lengthDelimited(2, repository.branches),
    ]),
  };
}

function repositoryOf(row: RowOf<"repositories">): Repository {
  const repository = new Repository(row.id);
  repository.scanId = row.scan_id;
  if (row.state === null) repository.deleted = true;
  else {
    const fields = new FieldReader(row.state);
    while (fields.next()) {
      if (fields.number === 1) repository.state = fields.view();
      else repository.branches = fields.view();
    }
  }
  return repository;
}

/** Reads one project back as it was stored. */
export async function loadProject(
  store: Store,
  row: RowOf<"projects">,
): Promise<ProjectState> {
  const project = new ProjectState({
    id: row.id,
    roomId: row.room_id,
    hostUserId: row.host_user_id,
    hostKey: peerKey(row.host_owner, row.host_id),
    windowsPaths: row.windows_paths,
    features: JSON.parse(row.features) as string[],
  });
  const key = { project_id: row.id };
  for (const one of await store.load("project_collaborators", key)) {
    project.add({
      key: peerKey(one.connection_owner, one.connection_id),
      userId: one.user_id,
      replicaId: one.replica_id,
      isHost: one.is_host,
      committerName: one.committer_name ?? undefined,
      committerEmail: one.committer_email ?? undefined,
    });
  }
  for (const one of await store.load("worktrees", key)) {
    const worktree = new Worktree(one.id, one.root_name, one.abs_path, one.visible);
    worktree.scanId = one.scan_id;
    worktree.completedScanId = one.completed_scan_id;
    worktree.rootRepoCommonDir = one.root_repo_common_dir ?? undefined;
    project.worktrees.set(one.id, worktree);
    const entries = await store.load("worktree_entries", { ...key, worktree_id: one.id });
    for (const { id, scan_id, entry } of entries) {
      if (entry === null) worktree.restoreTombstone(id, scan_id);
      else worktree.put(id, scan_id, { buffer: entry, start: 0, end: entry.length });
    }
  }
  for (const one of await store.load("repositories", key)) {
    project.repositories.set(one.id, repositoryOf(one));
  }
  for (const one of await store.load("repository_statuses", key)) {
    project.repositories.get(one.repository_id)?.statuses.set(one.repo_path, {
      scanId: one.scan_id,
      bytes: one.status ?? undefined,
    });
  }
  for (const one of await store.load("worktree_settings", key)) {
    project.settings.set(settingsKey(one.worktree_id, one.path, one.kind), {
      worktreeId: one.worktree_id,
      path: one.path,
      kind: one.kind,
      content: one.content,
      outsideWorktree: one.outside_worktree,
    });
  }
  for (const one of await store.load("diagnostic_summaries", key)) {
    project.diagnostics.set(
      diagnosticKey(one.worktree_id, one.path, one.language_server_id),
      {
        worktreeId: one.worktree_id,
        path: one.path,
        languageServerId: one.language_server_id,
        bytes: one.summary,
      },
    );
  }
  for (const one of await store.load("language_servers", key)) {
    project.languageServers.set(one.id, {
      bytes: one.server,
      name: decode("LanguageServer", one.server).name,
      capabilities: one.capabilities,
    });
  }
  return project;
}
