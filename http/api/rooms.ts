/** Calls and what is shared in them. */
import { z } from "zod";
import type { ProjectReport, RoomReport } from "../../actors/refs/mod.ts";
import { peerText } from "../../rpc/peer_id.ts";
import type { HttpDeps } from "../deps.ts";
import { ask } from "./asking.ts";
import { ApiError, type Endpoint, endpoint } from "./endpoint.ts";
import { roleName } from "./roles.ts";
import { number, type Project, Projects, Room, Rooms } from "./schemas.ts";

const params = z.object({ id: number });
const NO_ROOM = "there is no such room";

async function reportOf(deps: HttpDeps, id: number): Promise<RoomReport> {
  const room = deps.actors.registry.rooms.get(id);
  if (room === undefined) throw new ApiError(404, `there is no room ${id}`);
  return await ask<RoomReport>(deps, (answer) => room.tell({ type: "room.report", answer }, 0));
}

/** Of all rooms; one that is out of order is left out. */
async function reports(deps: HttpDeps): Promise<RoomReport[]> {
  const all = await Promise.allSettled(
    [...deps.actors.registry.rooms.keys()].map((id) => reportOf(deps, id)),
  );
  return all.flatMap((one) => {
    if (one.status === "fulfilled") return [one.value];
    if (one.reason instanceof ApiError) return [];
    throw one.reason;
  });
}

function projectJson(roomId: number, project: ProjectReport): z.input<typeof Project> {
  return {
    id: project.id,
    room_id: roomId,
    host_user_id: project.hostUserId,
    worktrees: [...project.worktrees],
    guest_user_ids: [...project.guestUserIds],
  };
}

function roomJson(room: RoomReport): z.input<typeof Room> {
  return {
    id: room.id,
    channel_id: room.channelId ?? null,
    participants: room.participants.map(({ userId, key, role }) => ({
      user_id: userId,
      connection_id: key === undefined ? null : peerText(key),
      role: role === undefined ? null : roleName(role),
    })),
    projects: room.projects.map((project) => projectJson(room.id, project)),
  };
}

export const roomEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/api/admin/rooms",
    summary: "calls, with who is in them and what is shared",
    success: { status: 200, description: "All rooms that are not out of order", schema: Rooms },
    run: async ({ deps }) => ({ answer: { rooms: (await reports(deps)).map(roomJson) } }),
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/rooms/:id",
    summary: "one call",
    params,
    success: { status: 200, description: "The room", schema: Room },
    errors: { 404: NO_ROOM, 503: "the room is out of order for a minute" },
    run: async ({ params, deps }) => ({ answer: roomJson(await reportOf(deps, params.id)) }),
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/rooms/:id",
    summary: "a call closed",
    description: "All leave it, what they share ends, and their connections start anew.",
    params,
    success: { status: 204, description: "It is over" },
    errors: { 404: NO_ROOM, 503: "the room is out of order for a minute" },
    async run({ params: { id }, deps }) {
      const { participants } = await reportOf(deps, id);
      const room = deps.actors.registry.rooms.get(id);
      await ask<void>(deps, (answer) => {
        if (room === undefined) answer(undefined, 0);
        else room.tell({ type: "room.close", answer }, 0);
      });
      const details = { user_ids: participants.map(({ userId }) => userId) };
      return {
        answer: undefined,
        deeds: [{ action: "room.close", target: `/rooms/${id}`, details }],
      };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/projects",
    summary: "shared projects",
    success: { status: 200, description: "All of them; no content", schema: Projects },
    async run({ deps }) {
      const rooms = await reports(deps);
      return {
        answer: {
          projects: rooms.flatMap((room) =>
            room.projects.map((project) => projectJson(room.id, project))
          ),
        },
      };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/projects/:id",
    summary: "a project unshared",
    description: "Host and guests stay in the call.",
    params,
    success: { status: 204, description: "It is not shared any more" },
    errors: { 404: "there is no such project", 503: "its room is out of order for a minute" },
    async run({ params: { id }, deps }) {
      const found = (await reports(deps)).find(({ projects }) =>
        projects.some((one) => one.id === id)
      );
      const room = found && deps.actors.registry.rooms.get(found.id);
      if (room === undefined) throw new ApiError(404, `there is no project ${id}`);
      await ask<void>(
        deps,
        (answer) => room.tell({ type: "room.end_project", projectId: id, answer }, 0),
      );
      const host = found!.projects.find((one) => one.id === id)!.hostUserId;
      return {
        answer: undefined,
        deeds: [{
          action: "project.unshare",
          target: `/projects/${id}`,
          details: { host_user_id: host, room_id: found!.id },
        }],
      };
    },
  }),
];
