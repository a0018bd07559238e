/** What a project's handlers know of the room in whose turn they run. */
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { Inbound } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { ProjectState } from "./state.ts";

export interface ProjectContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly project: ProjectState;
  readonly inbound: Inbound;
  /** Role of an active participant; undefined without one, or without role. */
  roleOf(key: PeerKey): number | undefined;
  /** Says `RoomUpdated` to every active participant, with the state of this moment. */
  updateRoom(): void;
  /** Drops follower rows of this project in which the peer leads or follows. */
  dropFollowers(key: PeerKey): void;
  /** The project is over: it is removed from the room and from the registry. */
  end(): void;
}
