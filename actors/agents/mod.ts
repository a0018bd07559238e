/** The desk of a user's agents: hosts, devices and what they ask. [agents 1] */
export { AgentDesk } from "./desk.ts";
export { AgentJanitor } from "./janitor.ts";
