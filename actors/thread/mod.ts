/** Threads of agents, each an actor. [agents 3] */
export { EventKind } from "./events.ts";
export { threadOfRow } from "./rows.ts";
export { AgentThread } from "./thread.ts";
