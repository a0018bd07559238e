/** Following. [rooms 11] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { type PeerKey, peerKey } from "../../rpc/peer_id.ts";
import { ask, tellFollowers } from "../project/mod.ts";
import { type RequestContext, type RoomContext, updateRoom } from "./context.ts";
import { followerKey, followerRow } from "./rows.ts";
import type { Follower } from "./state.ts";

interface Pair {
  readonly leader: PeerKey;
  readonly projectId: number | undefined;
}

function checkPair(context: RequestContext, message: "Follow" | "Unfollow"): Pair {
  const { room, inbound } = context;
  const { leaderId, projectId } = decode(message, inbound.payload);
  if (leaderId === undefined) throw RpcError.internal("invalid leader: none was sent");
  const leader = peerKey(leaderId.ownerId, leaderId.id);
  const { key } = inbound.connection;
  if (leader === key || !room.active.has(leader) || !room.active.has(key)) {
    throw RpcError.internal("leader and follower must be two participants of the room");
  }
  return { leader, projectId: projectId === undefined ? undefined : Number(projectId) };
}

/** [rooms 11.1] Stored and told to the room once the leader has answered. */
export function handleFollow(context: RequestContext): void {
  const { system, turn, inbound } = context;
  const { leader, projectId } = checkPair(context, "Follow");
  const { connection } = inbound;
  turn.then(() =>
    ask(system, inbound, leader, {
      onSuccess: projectId === undefined ? undefined : () => {
        const pair = { projectId, leader, follower: connection.key };
        context.later((again) => addFollower(again, pair));
      },
    })
  );
}

/** The leader has answered: the pair is kept, unless it is already or one of them has left. */
function addFollower(context: RoomContext, pair: Omit<Follower, "ordinal">): void {
  const { turn, room } = context;
  if (!room.active.has(pair.leader) || !room.active.has(pair.follower)) return;
  if (!room.projects.has(pair.projectId)) return;
  if (room.followers.some((one) => samePair(one, pair))) return;
  const follower = { ...pair, ordinal: room.nextOrdinal() };
  room.addFollower(follower);
  turn.put("followers", followerRow(room.id, follower));
  updateRoom(context);
}

function samePair(a: Omit<Follower, "ordinal">, b: Omit<Follower, "ordinal">): boolean {
  return a.projectId === b.projectId && a.leader === b.leader && a.follower === b.follower;
}

/** [rooms 11.2] */
export function handleUnfollow(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const { leader, projectId } = checkPair(context, "Unfollow");
  turn.forward(leader, inbound.original, inbound.connection.key);
  if (projectId === undefined) return;
  const pair = { projectId, leader, follower: inbound.connection.key };
  room.followers = room.followers.filter((one) => {
    if (!samePair(one, pair)) return true;
    turn.remove("followers", followerKey(room.id, one));
    return false;
  });
  updateRoom(context);
}

/** [rooms 11.3] What a leader shows without a project goes to everybody in the room. */
export function handleUpdateFollowers({ turn, room, inbound }: RequestContext): void {
  if (!room.active.has(inbound.connection.key)) throw RpcError.internal("you are not in this room");
  tellFollowers(turn, inbound, room.active.keys());
}
