/** What must hold when nothing moves: everybody sees what the database holds. */
import { loadRoom } from "../../actors/room/rows.ts";
import type { RoomState } from "../../actors/room/state.ts";
import { PROJECT_TABLES, type ProjectState } from "../../actors/project/mod.ts";
import { decode, encode, type MessageTypes } from "../../proto/mod.ts";
import { peerIdOf, type PeerKey, peerKey } from "../../rpc/peer_id.ts";
import type { GuestProject } from "./guest_project.ts";
import { hostKeys } from "./host_keys.ts";
import type { HostProject } from "./host_project.ts";
import { entryText } from "./host_worktree.ts";
import { ABSENT } from "./register.ts";
import type { SimClient } from "./sim_client.ts";
import type { Simulation } from "./simulation.ts";

/** Compares clients, memory and database. */
export async function checkRest(sim: Simulation): Promise<void> {
  const { store } = sim.server;
  const rooms = new Map<number, RoomState>();
  for (const { id } of await store.load("rooms")) {
    const room = await loadRoom(store, id);
    if (room !== undefined) rooms.set(id, room);
  }
  checkRooms(sim, rooms);
  for (const room of rooms.values()) {
    for (const project of room.projects.values()) checkProject(sim, room, project);
  }
  await checkLeftovers(sim, rooms);
  await checkPeople(sim, rooms);
  checkServer(sim, rooms);
}

function keyOf(client: SimClient): PeerKey {
  const id = client.peer.peerId;
  return id === undefined ? -1 : peerKey(id.ownerId, id.id);
}

function checkRooms(sim: Simulation, rooms: ReadonlyMap<number, RoomState>): void {
  for (const room of rooms.values()) {
    // A channel's outlives a restart to which nobody has come back. [rooms 15]
    const mayBe = room.active.size > 0 || room.channelId !== undefined;
    sim.expect(mayBe, () => `room ${room.id} is stored, but nobody is in it`);
    for (const one of room.active.values()) {
      const client = sim.clients.find((each) => keyOf(each) === one.key);
      sim.equal(`the room of user ${one.userId}`, Number(client?.room?.id ?? 0n), room.id);
      sim.equal(`the user of ${client?.name}`, Number(client?.userId ?? 0n), one.userId);
    }
    const stored = readable(decode("Room", encode("Room", room.snapshot())));
    for (const client of sim.clients) {
      if (client.room?.id !== BigInt(room.id)) continue;
      const seen = readable(client.room.snapshot);
      sim.equal(`room ${room.id} as ${client.name} sees it`, seen, stored);
    }
  }
  for (const { name, room } of sim.clients) {
    if (room === undefined) continue;
    sim.expect(rooms.has(Number(room.id)), () => `${name} is in room ${room.id}, which is gone`);
  }
}

/** Users with their replica ids, each on as many devices as he likes. */
function byUser(places: [user: number, replica: number][]): [user: number, replica: number][] {
  return places.sort(([user, replica], [other, otherReplica]) =>
    user - other || replica - otherReplica
  );
}

/** A room's description without what has no order. */
function readable(room: MessageTypes["Room"]): unknown {
  const byUser = (a: { userId: bigint }, b: { userId: bigint }) => Number(a.userId - b.userId);
  return {
    ...room,
    participants: room.participants.toSorted(byUser).map((one) => ({
      ...one,
      projects: one.projects.toSorted((a, b) => Number(a.id - b.id)),
    })),
  };
}

function checkProject(sim: Simulation, room: RoomState, project: ProjectState): void {
  const name = `project ${project.id}`;
  const id = BigInt(project.id);
  const host = sim.clients.find((client) => client.hosted.has(id));
  if (host === undefined) return sim.fail(`${name} is stored, but nobody shares it`);
  const hosted = host.hosted.get(id) as HostProject;
  sim.equal(`the host of ${name}`, peerIdOf(project.hostKey), peerIdOf(keyOf(host)));
  checkHost(sim, name, hosted, project);
  const guests = sim.clients.filter((client) => client.joined.has(id));
  sim.equal(
    `the guests of ${name}`,
    byUser(guests.map((one) => [Number(one.userId), one.joined.get(id)?.replicaId ?? -1])),
    byUser(project.guests.map((one) => [one.userId, one.replicaId])),
  );
  for (const client of guests) {
    checkGuest(sim, `${name} as ${client.name} sees it`, client.joined.get(id)!, project);
  }
  if (!host.mayEdit) return;
  for (const buffer of hosted.buffers.values()) {
    if (buffer.isSpoilt) continue;
    sim.buffers++;
    sim.equal(`what waits in ${buffer.path} of ${name} at its host`, buffer.waitingCount, 0);
    for (const client of guests.filter(({ mayEdit }) => mayEdit)) {
      const copy = client.joined.get(id)?.buffers.get(buffer.id);
      if (copy === undefined) continue;
      sim.copies++;
      const what = `${buffer.path} of ${name} at ${client.name}`;
      sim.equal(what, [copy.waitingCount, copy.text], [0, buffer.text]);
    }
  }
  void room;
}

function checkHost(
  sim: Simulation,
  name: string,
  hosted: HostProject,
  project: ProjectState,
): void {
  const roots = (list: Iterable<{ id: bigint; rootName: string }>) =>
    [...list].map((one) => `${one.id} ${one.rootName}`).sort();
  sim.equal(
    `worktrees of ${name}`,
    roots(project.worktrees.values()),
    roots(hosted.worktrees.values()),
  );
  for (const worktree of hosted.worktrees.values()) {
    const what = `worktree ${worktree.id} of ${name}`;
    const told = new Map([...worktree.entries].map(([id, one]) => [id, entryText(one)]));
    sim.equal(`what ${what} has acknowledged`, sorted(worktree.acknowledged), sorted(told));
    const stored = project.worktrees.get(worktree.id);
    sim.equal(`the stored ${what}`, sorted(storedEntries(stored)), sorted(told));
  }
  checkRegisters(sim, name, hosted, project);
  const repositories = [...project.repositories.values()].filter(({ deleted }) => !deleted);
  sim.equal(
    `repositories of ${name}`,
    repositories.map(({ id, statuses }) => [
      id,
      [...statuses].filter(([, { bytes }]) => bytes !== undefined).map(([path]) => path).sort(),
    ]).sort(),
    [...hosted.repositories.values()].map(({ id, statuses }) => [
      id,
      [...statuses.keys()].sort(),
    ]).sort(),
  );
}

/** What the host told without an answer is stored, unless it may have been lost. */
export function checkRegisters(
  sim: Simulation,
  name: string,
  hosted: HostProject,
  project: ProjectState,
): void {
  const facts = factsOf(project);
  for (const [key, register] of hosted.registers) {
    const value = facts.get(key) ?? ABSENT;
    sim.expect(
      register.allows(value),
      () => `${name} holds ${value} as ${key}, but its host told ${register}`,
    );
  }
}

function checkGuest(
  sim: Simulation,
  what: string,
  guest: GuestProject,
  project: ProjectState,
): void {
  sim.equal(
    `worktrees of ${what}`,
    sorted(new Map([...guest.worktrees].map(([id, one]) => [id, one.rootName]))),
    sorted(new Map([...project.worktrees].map(([id, one]) => [id, one.rootName]))),
  );
  for (const [id, worktree] of guest.worktrees) {
    const stored = project.worktrees.get(id);
    sim.equal(
      `worktree ${id} of ${what}`,
      [worktree.completedScanId, sorted(worktree.entries)],
      [stored?.completedScanId, sorted(storedEntries(stored))],
    );
  }
  const facts = new Map([...factsOf(project)].filter(([key]) => {
    const [kind, worktree] = key.split(" ");
    return kind === "server" || project.worktrees.has(BigInt(worktree as string));
  }));
  const seen = new Map([...guest.facts].filter(([key]) => {
    const [kind, worktree] = key.split(" ");
    return kind === "server" || project.worktrees.has(BigInt(worktree as string));
  }));
  sim.equal(`settings, diagnostics, servers of ${what}`, sorted(seen), sorted(facts));
  sim.equal(
    `repositories of ${what}`,
    [...guest.repositories].map(([id, one]) => [
      id,
      one.scanId,
      one.branch,
      sorted(one.statuses),
    ]).sort(),
    [...project.repositories.values()].filter(({ deleted }) => !deleted).map((one) => [
      one.id,
      one.scanId,
      decode("UpdateRepository", one.state).branchSummary?.refName ?? "",
      sorted(
        new Map(
          [...one.statuses].flatMap(([path, { bytes }]) =>
            bytes === undefined ? [] : [[path, bytes.toBase64()] as const]
          ),
        ),
      ),
    ]).sort(),
  );
  const people = (list: readonly { userId: bigint | number; replicaId: number }[]) =>
    list.map((one) => [Number(one.userId), one.replicaId]).sort();
  sim.equal(
    `other collaborators of ${what}`,
    people(guest.collaborators),
    people([...project.collaborators.values()].filter(({ key }) => key !== keyOf(guest.client))),
  );
}

/** Entries of a stored worktree, encoded. */
export function storedEntries(
  worktree: ReturnType<ProjectState["worktrees"]["get"]>,
): Map<bigint, string> {
  const entries = new Map<bigint, string>();
  for (const { buffer, start, end } of worktree?.since(-1n).updated ?? []) {
    const entry = decode("Entry", buffer.subarray(start, end));
    entries.set(entry.id, entryText(entry));
  }
  return entries;
}

/** Settings, diagnostics and servers of a stored project, by the keys that clients use. */
function factsOf(project: ProjectState): Map<string, string> {
  const facts = new Map<string, string>();
  for (const one of project.settings.values()) {
    facts.set(hostKeys.setting(one.worktreeId, one.path, one.kind), one.content);
  }
  for (const one of project.diagnostics.values()) {
    const { errorCount, warningCount } = decode("DiagnosticSummary", one.bytes);
    const key = hostKeys.diagnostic(one.worktreeId, one.path, one.languageServerId);
    facts.set(key, `${errorCount}/${warningCount}`);
  }
  for (const [id, one] of project.languageServers) {
    facts.set(hostKeys.server(id), `${one.name} ${one.capabilities}`);
  }
  return facts;
}

async function checkLeftovers(
  sim: Simulation,
  rooms: ReadonlyMap<number, RoomState>,
): Promise<void> {
  const { store } = sim.server;
  const projects = new Set([...rooms.values()].flatMap((room) => [...room.projects.keys()]));
  for (const table of PROJECT_TABLES) {
    const rows = await store.load(table) as unknown as { project_id: number }[];
    const orphans = rows.filter((row) => !projects.has(row.project_id));
    sim.equal(`rows of ${table} without a project`, orphans, []);
  }
  const stray = (await store.load("room_participants")).filter((row) => !rooms.has(row.room_id));
  sim.equal("participants without a room", stray, []);
  for (const client of sim.clients) {
    for (const id of [...client.hosted.keys(), ...client.joined.keys()]) {
      sim.expect(projects.has(Number(id)), () => `${client.name} has project ${id}, it is gone`);
    }
  }
}

async function checkPeople(
  sim: Simulation,
  rooms: ReadonlyMap<number, RoomState>,
): Promise<void> {
  const { store } = sim.server;
  const busy = new Set([...rooms.values()].flatMap((room) => [...room.participants.keys()]));
  const stored = await store.load("contacts");
  for (const [a, b, areContacts] of sim.pairs.certain()) {
    const row = stored.find((one) => one.user_id_a === a && one.user_id_b === b);
    sim.equal(`users ${a} and ${b} are contacts`, row?.accepted ?? false, areContacts);
  }
  for (const client of sim.clients) {
    const id = Number(client.userId);
    const rows = (await store.contactsOf(id)).map((row) => ({
      other: row.user_id_a === id ? row.user_id_b : row.user_id_a,
      accepted: row.accepted,
      asked: row.a_to_b === (row.user_id_a === id),
    })).sort((a, b) => a.other - b.other);
    const numbers = (ids: Iterable<bigint>) => [...ids].map(Number).sort((a, b) => a - b);
    sim.equal(
      `contacts of ${client.name}`,
      {
        contacts: [...client.contacts.all.values()]
          .map((one) => [Number(one.userId), one.online, one.busy])
          .sort((a, b) => Number(a[0]) - Number(b[0])),
        incoming: numbers(client.contacts.incoming),
        outgoing: numbers(client.contacts.outgoing),
      },
      {
        contacts: rows.filter(({ accepted }) => accepted)
          .map(({ other }) => [other, true, busy.has(other)]),
        incoming: rows.filter((one) => !one.accepted && !one.asked).map(({ other }) => other),
        outgoing: rows.filter((one) => !one.accepted && one.asked).map(({ other }) => other),
      },
    );
    sim.equal(
      `calls that ring at ${client.name}`,
      numbers(client.rings.keys()),
      numbers(
        [...rooms.values()]
          .filter((room) => room.pendingParticipants().some(({ userId }) => userId === id))
          .map((room) => BigInt(room.id)),
      ),
    );
    const notifications = await store.notificationsOf(id, null, 1_000);
    sim.equal(
      `notifications of ${client.name}`,
      [...client.notifications.values()]
        .map((one) => [Number(one.id), one.kind, Number(one.entityId), one.isRead])
        .sort((a, b) => Number(a[0]) - Number(b[0])),
      notifications.map((one) => [one.id, one.kind, one.entity_id, one.is_read]),
    );
  }
}

function checkServer(sim: Simulation, rooms: ReadonlyMap<number, RoomState>): void {
  const { actors } = sim.server;
  if (actors === undefined) return sim.fail("the server is not up");
  const { registry } = actors;
  const numbers = (ids: Iterable<number>) => [...ids].sort((a, b) => a - b);
  sim.equal("rooms in memory", numbers(registry.rooms.keys()), numbers(rooms.keys()));
  sim.equal(
    "projects in memory",
    numbers(registry.projects.keys()),
    numbers([...rooms.values()].flatMap((room) => [...room.projects.keys()])),
  );
  sim.equal(
    "connections in memory",
    numbers(registry.connections.keys()),
    numbers(sim.clients.map(keyOf)),
  );
  for (const { connection, watch, link } of sim.server.accepted) {
    if (!link.whole) continue;
    const { address, outbox, asking } = connection;
    sim.equal(`requests of ${address} without an end`, [...watch.unanswered], []);
    sim.equal(`what ${address} still waits for`, [outbox.pendingCount, asking.size], [0, 0]);
    sim.equal(`bytes that wait for ${address}`, outbox.waitingBytes, 0);
  }
  sim.equal("errors in the server's log", sim.server.errors, []);
}

function sorted<K, V>(map: ReadonlyMap<K, V>): string[] {
  return [...map].map(([key, value]) => `${key}: ${value}`).sort();
}
