/** Projects: their data, their handlers, their lifecycle. Used by the room that owns them. */
export { checkAccess } from "./access.ts";
export type { ProjectContext } from "./context.ts";
export { projectFacts, sharedFacts } from "./facts.ts";
export { tellFollowers } from "./following.ts";
export { ask, tell, tellOthers } from "./forwarding.ts";
export { projectHandlers } from "./handlers.ts";
export { applyWorktreeList, checkWorktreeList, tellSettings } from "./host_handlers.ts";
export { type ProjectEvent, type ProjectPhase, startProjectLife } from "./machine.ts";
export {
  PROJECT_TABLES,
  rebind,
  rejoinedProject,
  removeGuest,
  removeProjectRows,
  resharedProject,
  tellUnshared,
  updatedCollaborator,
} from "./membership.ts";
export { collaboratorRow, loadProject, projectRow, worktreeRow } from "./rows.ts";
export { type Collaborator, ProjectState } from "./state.ts";
export { type Known, rejoinStream } from "./streams.ts";
export { Worktree } from "./worktree.ts";
