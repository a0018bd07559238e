/** What must hold of channels, their members and their calls when nothing moves. [channels 17] */
import { checkChats } from "./check_chats.ts";
import { checkNotes } from "./check_notes.ts";
import type { SimClient } from "./sim_client.ts";
import type { Simulation } from "./simulation.ts";

export { checkSaid } from "./check_chats.ts";

/**
 * A user has one seat: whose other device has taken it, or who gave it up for a call that he did not get
 * into, is told nothing, and finds out when he does something. [channels 7.12.1]
 */
export async function releaseEvicted(sim: Simulation): Promise<void> {
  const seats = await sim.server.store.load("room_participants");
  for (const client of sim.clients) {
    const isAlone = sim.clients.every((one) => one === client || one.userId !== client.userId);
    if (isAlone && !client.mayBeEvicted || client.room === undefined) continue;
    const { ownerId, id } = client.peer.peerId ?? { ownerId: 0, id: 0 };
    const isSeated = seats.some((one) =>
      one.connection_owner === ownerId && one.connection_id === id
    );
    if (!isSeated) client.forgetRoom();
  }
}

/** Everybody has seen all that he has open. */
export function acknowledgeAll(sim: Simulation): void {
  for (const { channels } of sim.clients) {
    for (const copy of channels.notes.values()) copy.acknowledge();
    for (const chat of channels.chats.values()) chat.acknowledge();
  }
}

export async function checkChannels(sim: Simulation): Promise<void> {
  const { store } = sim.server;
  const rows = await store.load("channels");
  for (const client of sim.clients) {
    checkSeen(sim, client, rows);
    checkRoles(sim, client, rows);
  }
  checkTrees(sim, rows);
  const rooms = await store.load("rooms");
  const seats = await store.load("room_participants");
  for (const { id: roomId, channel_id: channelId } of rooms) {
    if (channelId === null) continue;
    const active = seats.filter((one) => one.room_id === roomId && one.connection_id !== null);
    checkCall(sim, channelId, active.map((one) => one.user_id), roomId);
  }
  const open = new Set(rooms.map((one) => one.channel_id));
  for (const { id } of rows) if (!open.has(id)) checkCall(sim, id, []);
  await checkNotes(sim);
  await checkChats(sim);
}

type ChannelRow = Awaited<ReturnType<Simulation["server"]["store"]["load"]>>[number] & {
  readonly id: number;
  readonly root_id: number;
  readonly name: string;
  readonly visibility: string;
  readonly parent_path: string;
  readonly channel_order: number;
};

/** [channels 17.1] */
function checkSeen(sim: Simulation, client: SimClient, rows: readonly ChannelRow[]): void {
  const user = Number(client.userId);
  sim.equal(
    `the channels that ${client.name} sees`,
    [...client.channels.view.channels.values()]
      .map((one) => [
        Number(one.id),
        one.name,
        one.visibility === 0 ? "public" : "members",
        one.parentPath.map((id) => `${id}/`).join(""),
        one.channelOrder,
      ])
      .sort((a, b) => Number(a[0]) - Number(b[0])),
    rows.filter(({ id }) => sim.permissions.roleNow(user, id) !== undefined)
      .map((one) => [one.id, one.name, one.visibility, one.parent_path, one.channel_order])
      .sort((a, b) => Number(a[0]) - Number(b[0])),
  );
}

function checkRoles(sim: Simulation, client: SimClient, rows: readonly ChannelRow[]): void {
  const { view } = client.channels;
  const user = Number(client.userId);
  const roots = rows.filter(({ id, root_id }) => id === root_id).map(({ id }) => id);
  for (const root of roots) {
    const role = sim.permissions.roleNow(user, root);
    if (role === undefined) continue;
    const number = ["admin", "member", "guest", "banned", "talker"].indexOf(role);
    sim.equal(`the role of ${client.name} in ${root}`, view.roles.get(BigInt(root)), number);
  }
  // Who is invited does not hear of the channel's end. [channels 7.2]
  sim.equal(
    `the invitations of ${client.name}`,
    [...view.invitations.keys()].map(Number).filter((id) => roots.includes(id)).sort(),
    roots.filter((root) => sim.permissions.isInvitedNow(user, root)).sort(),
  );
}

/** [channels 17.2] [channels 17.3] */
function checkTrees(sim: Simulation, rows: readonly ChannelRow[]): void {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const places = new Set<string>();
  const orders = new Set<string>();
  for (const row of rows) {
    const path = row.parent_path.split("/").slice(0, -1).map(Number);
    const parent = byId.get(path.at(-1) ?? 0);
    if (path.length === 0) {
      sim.equal(`the root of channel ${row.id}`, row.root_id, row.id);
      continue;
    }
    const expected = parent && `${parent.parent_path}${parent.id}/`;
    sim.equal(`the path of channel ${row.id}`, row.parent_path, expected);
    sim.equal(`the root of channel ${row.id}`, row.root_id, parent?.root_id);
    const isNested = row.visibility !== "public" || parent?.visibility === "public";
    sim.expect(isNested, () => `channel ${row.id} is public, but its parent is not`);
    for (const [set, key] of [[places, row.name], [orders, row.channel_order]] as const) {
      const place = `${row.parent_path} ${key}`;
      sim.expect(!set.has(place), () => `two channels in ${row.parent_path} have "${key}"`);
      set.add(place);
    }
  }
}

/**
 * Who is being rung may be listed or not. Who was listed so stays listed when the ring ends without his
 * coming, until the call is told anew. [channels 7.13] [channels 6.4] [rooms 9.8]
 */
function checkCall(
  sim: Simulation,
  channel: number,
  active: readonly number[],
  room?: number,
): void {
  const mayBeListed = (user: number) =>
    active.includes(user) || (room !== undefined && sim.permissions.wasRung(user, room));
  for (const client of sim.clients) {
    if (sim.permissions.roleNow(Number(client.userId), channel) === undefined) continue;
    if (client.channels.markless.has(`call ${channel}`)) continue;
    const seen = (client.channels.view.participants.get(BigInt(channel)) ?? []).map(Number);
    const isTrue = active.every((one) => seen.includes(one)) &&
      seen.every(mayBeListed);
    sim.expect(
      isTrue,
      () => `${client.name} sees ${seen} in the call of ${channel}, where ${active} are`,
    );
  }
}
