/** A project as programs that embed the server are told of it. */
import type { EventFacts } from "../events.ts";
import type { ProjectState } from "./state.ts";

export function projectFacts({ id, roomId, hostUserId }: ProjectState) {
  return { projectId: id, roomId, hostUserId };
}

export function sharedFacts(project: ProjectState): EventFacts["project.shared"] {
  const worktrees = project.sortedWorktrees().map(({ rootName }) => rootName);
  return { ...projectFacts(project), worktrees };
}
