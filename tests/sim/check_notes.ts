/** What must hold of notes when nothing moves. [channels 17.5–17.8] */
import { decode } from "../../proto/mod.ts";
import { compareLamport, Document, fromWireOperation, type Operation } from "../../text/mod.ts";
import { type NotesCopy, waitingOf } from "./notes_copy.ts";
import type { Simulation } from "./simulation.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

interface Stored {
  readonly epoch: number;
  readonly latest: readonly [epoch: number, timestamp: number, replica: number] | undefined;
  readonly document: Document;
}

export async function checkNotes(sim: Simulation): Promise<void> {
  const { store } = sim.server;
  const collaborators = await store.load("channel_buffer_collaborators");
  const channels = new Set((await store.load("channels")).map(({ id }) => id));
  const observed = await store.load("observed_buffer_edits");
  for (const { channel_id: id } of await store.load("buffers")) {
    sim.expect(channels.has(id), () => `the notes of channel ${id} have outlived it`);
    const stored = await load(sim, id);
    const places = collaborators.filter((one) => one.channel_id === id);
    checkCollaborators(sim, id, places);
    for (const copy of copiesOf(sim, id)) {
      checkCopy(sim, copy, stored);
      const name = `${copy.client.name}'s notes of ${id}`;
      const mark = observed.find((one) =>
        one.channel_id === id && one.user_id === Number(copy.client.userId)
      );
      const top = copy.version.toSorted((a, b) => compareLamport(a, b)).at(-1);
      const seen = top && [Number(copy.epoch), top.timestamp, top.replicaId];
      const marked = mark && [mark.epoch, mark.lamport_timestamp, mark.replica_id];
      sim.expect(
        seen === undefined || marked !== undefined && compare(marked, seen) >= 0,
        () => `${name} were seen up to ${seen}, but the mark is ${marked}`,
      );
    }
    checkLatest(sim, id, stored);
  }
  for (const { channels: { notes }, name } of sim.clients) {
    for (const id of notes.keys()) {
      const isPlaced = collaborators.some((one) => BigInt(one.channel_id) === id);
      sim.expect(isPlaced, () => `${name} has the notes of ${id} open, where nobody is`);
    }
  }
}

async function load(sim: Simulation, id: number): Promise<Stored> {
  const { store } = sim.server;
  const [buffer] = await store.load("buffers", { channel_id: id });
  const { epoch = 0, latest_epoch, latest_timestamp, latest_replica_id } = buffer ?? {};
  const at = { channel_id: id, epoch };
  const [snapshot] = await store.load("buffer_snapshots", at);
  const operations = (await store.load("buffer_operations", at))
    .map((row) => fromWireOperation(decode("Operation", row.operation)))
    .filter((one): one is Operation => one !== undefined)
    .sort(compareLamport);
  const document = new Document(snapshot && utf8.decode(snapshot.base_text), operations);
  const latest = latest_timestamp === null || latest_timestamp === undefined
    ? undefined
    : [latest_epoch, latest_timestamp, latest_replica_id] as [number, number, number];
  const greatest = operations.at(-1);
  // In an epoch without a change it is still one of the epoch before. [channels 8.5]
  if (greatest !== undefined && document.waitingCount === 0) {
    const last = [epoch, greatest.timestamp, greatest.replicaId];
    sim.expect(
      latest !== undefined && compare(latest, last) >= 0,
      () => `the latest operation of the notes of ${id} is ${last}, but the mark is ${latest}`,
    );
  }
  return { epoch, latest, document };
}

function copiesOf(sim: Simulation, id: number): NotesCopy[] {
  return sim.clients
    .map(({ channels }) => channels.notes.get(BigInt(id)))
    .filter((copy): copy is NotesCopy => copy !== undefined);
}

/** [channels 17.5] */
function checkCollaborators(
  sim: Simulation,
  id: number,
  rows: readonly {
    readonly replica_id: number;
    readonly user_id: number;
    readonly connection_owner: number;
    readonly connection_id: number;
  }[],
): void {
  const stored = rows
    .map((one) => [one.replica_id, one.user_id, one.connection_owner, one.connection_id])
    .sort((a, b) => Number(a[0]) - Number(b[0]));
  const copies = copiesOf(sim, id);
  sim.equal(
    `who has the notes of ${id} open`,
    copies
      .map(({ replicaId, client }) => [
        replicaId,
        Number(client.userId),
        client.peer.peerId?.ownerId ?? 0,
        client.peer.peerId?.id ?? 0,
      ])
      .sort((a, b) => Number(a[0]) - Number(b[0])),
    stored,
  );
  for (const { client, collaborators } of copies) {
    sim.equal(
      `who has the notes of ${id} open, as ${client.name} sees it`,
      collaborators
        .map((one) => [one.replicaId, Number(one.userId), one.peerId?.ownerId, one.peerId?.id])
        .sort((a, b) => Number(a[0]) - Number(b[0])),
      stored,
    );
  }
}

/** [channels 17.6] [channels 17.8] */
function checkCopy(sim: Simulation, copy: NotesCopy, { epoch, document }: Stored): void {
  const { client, channelId } = copy;
  const name = `the notes of ${channelId} at ${client.name}`;
  sim.equal(`the epoch of ${name}`, Number(copy.epoch), epoch);
  const user = Number(client.userId);
  const writers = ["admin", "member"];
  const now = sim.permissions.tick();
  // What somebody wrote who might not write any more is with him alone. [channels 8.4.1]
  const isAlone = document.version.get(copy.replicaId) < copy.ownTimestamp &&
    sim.permissions.lackedRole(user, Number(channelId), writers, copy.openedAt, now);
  if (isAlone) {
    sim.count("notes set aside");
    return;
  }
  sim.count("notes compared");
  // What a leaver had waiting is with those who heard of it for ever, and with nobody else. [channels 9.10]
  const writing = new Set(copy.collaborators.map(({ replicaId }) => replicaId));
  sim.equal(`what ${name} wait for`, copy.waitingOf(writing), waitingOf(document, writing));
  sim.equal(name, copy.text, document.text());
}

/** Live marks go to those who do not have the notes open. [channels 8.4.5] */
function checkLatest(sim: Simulation, id: number, { latest }: Stored): void {
  for (const { channels, name } of sim.clients) {
    const { view, markless } = channels;
    if (!view.channels.has(BigInt(id)) || markless.has(`notes ${id}`)) continue;
    const mark = view.latestNotes.get(BigInt(id));
    sim.equal(
      `the latest operation of the notes of ${id} as ${name} sees it`,
      mark && [Number(mark.epoch), mark.timestamp, mark.replicaId],
      latest,
    );
  }
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [at, part] of one.entries()) {
    const order = part - (other[at] as number);
    if (order !== 0) return order;
  }
  return 0;
}
