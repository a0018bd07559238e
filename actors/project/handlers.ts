/** Handlers of project messages by name; what only passes through has none. */
import type { MessageName } from "../../proto/mod.ts";
import type { ProjectContext } from "./context.ts";
import { handleUpdateFollowers } from "./following.ts";
import { handleLspQuery, handleLspQueryResponse, handleUpdateContext } from "./forwarding.ts";
import {
  handleRemoveRepository,
  handleStartLanguageServer,
  handleUpdateDiagnosticSummary,
  handleUpdateLanguageServer,
  handleUpdateProject,
  handleUpdateRepository,
  handleUpdateWorktree,
  handleUpdateWorktreeSettings,
} from "./host_handlers.ts";
import { handleJoinProject, handleLeaveProject, handleUnshareProject } from "./membership.ts";

export type ProjectHandler = (context: ProjectContext) => void;

export const projectHandlers: Partial<Record<MessageName, ProjectHandler>> = {
  JoinProject: handleJoinProject,
  LeaveProject: handleLeaveProject,
  UnshareProject: handleUnshareProject,
  UpdateProject: handleUpdateProject,
  UpdateWorktree: handleUpdateWorktree,
  UpdateRepository: handleUpdateRepository,
  RemoveRepository: handleRemoveRepository,
  UpdateDiagnosticSummary: handleUpdateDiagnosticSummary,
  UpdateWorktreeSettings: handleUpdateWorktreeSettings,
  StartLanguageServer: handleStartLanguageServer,
  UpdateLanguageServer: handleUpdateLanguageServer,
  LspQuery: handleLspQuery,
  LspQueryResponse: handleLspQueryResponse,
  UpdateContext: handleUpdateContext,
  UpdateFollowers: handleUpdateFollowers,
};
