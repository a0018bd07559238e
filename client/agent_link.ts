/** What agents' hosts and subscribers need of a connection, which may be another one after a loss. */
import type { CollabClient } from "./collab_client.ts";

/** A {@link Peer}, or a {@link CollabClient} over whatever connection it has. */
export type AgentLink =
  & Pick<CollabClient, "request" | "send" | "onMessage" | "onRequest">
  & Partial<Pick<CollabClient, "dispatcher">>;
