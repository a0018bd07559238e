/** Rooms and calls. */
import type { ActorSystem } from "../system.ts";
import type { RoomRef } from "../refs/mod.ts";
import { Room } from "./room.ts";
import { RoomState } from "./state.ts";

export { Room } from "./room.ts";

/** Letters of a media room's name. [rooms 0] */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

function mediaRoomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(30));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** A new room, which nobody is in yet; its id is stored with its first turn. */
export function createRoom(system: ActorSystem, id: number, channelId?: number): RoomRef {
  const name = channelId === undefined ? mediaRoomName() : `channel-${mediaRoomName()}`;
  return new Room(system, id, new RoomState(id, name, channelId));
}

/** Brings the rooms of earlier epochs back, before connections are accepted. [rooms 15] */
export async function restoreRooms(system: ActorSystem): Promise<readonly RoomRef[]> {
  const rows = await system.store.load("rooms");
  const rooms = rows.map((row) => new Room(system, row.id, undefined));
  await Promise.all(rooms.map((room) => room.whenLoaded()));
  return rooms;
}

/** Brings back a room whose end was taken back: the database still has it. [design 1.3] */
export function restoreRoom(system: ActorSystem, id: number): void {
  new Room(system, id, undefined);
}
