/** What operators ask of a room, and do to it. */
import { RpcError } from "../../rpc/errors.ts";
import { tellUnshared } from "../project/mod.ts";
import type { Answer, RoomMessage, RoomReport } from "../refs/mod.ts";
import { type RoomContext, updateRoom } from "./context.ts";
import { endRoom, leave } from "./membership.ts";

/** Who is in the room, and what is shared there. */
export function report(
  { turn, room }: RoomContext,
  { answer }: Extract<RoomMessage, { type: "room.report" }>,
): void {
  const found: RoomReport = {
    id: room.id,
    channelId: room.channelId,
    participants: [...room.participants.values()].map(({ userId, key, role }) => ({
      userId,
      key,
      role,
    })),
    projects: [...room.projects.values()].map((project) => ({
      id: project.id,
      hostUserId: project.hostUserId,
      worktrees: project.sortedWorktrees().filter(({ visible }) => visible)
        .map(({ rootName }) => rootName),
      guestUserIds: project.guests.map(({ userId }) => userId),
    })),
  };
  turn.then((gate) => answer(found, gate));
}

/**
 * Everybody leaves, as by a request of their own. Clients are told of a room only while they are in
 * it: their connections end, and what comes back finds no room to rejoin, which clients take for the
 * end of the call.
 */
export function close(
  context: RoomContext,
  { answer }: Extract<RoomMessage, { type: "room.close" }>,
): void {
  const { system, turn, room } = context;
  const keys = [...room.active.keys()];
  if (keys.length === 0) endRoom(context);
  else leave(context, keys);
  turn.then((gate) => {
    for (const key of keys) system.registry.connections.get(key)?.drop("closed_by_operator");
    answer(undefined, gate);
  });
}

/** Host and guests hear that it is unshared; both stay in the call. */
export function endProject(
  context: RoomContext,
  { projectId, answer }: Extract<RoomMessage, { type: "room.end_project" }>,
): void {
  const { turn, room } = context;
  const project = room.projects.get(projectId);
  if (project === undefined) throw RpcError.internal(`no such project: ${projectId}`);
  tellUnshared(turn, project);
  context.endProject(project);
  updateRoom(context);
  turn.then((gate) => answer(undefined, gate));
}

/** The order of an operator in a message, if it is one: somebody waits for its answer. */
export function orderIn(message: RoomMessage): Answer<never> | undefined {
  switch (message.type) {
    case "room.report":
    case "room.close":
    case "room.end_project":
      return message.answer;
  }
}
