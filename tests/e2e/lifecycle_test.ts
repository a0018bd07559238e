/** What becomes of calls when connections and the server come and go. [rooms 14] [rooms 16] */
import { assert, assertEquals } from "@std/assert";
import { CollabClient } from "../../client/collab_client.ts";
import { DiskFiles } from "../../client/disk_files.ts";
import { Room } from "../../client/room.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { ServerProcess } from "../fault/server_process.ts";
import { addressOf } from "../support/evening.ts";
import { known, reconnect } from "../support/rejoin.ts";
import { Scene } from "../support/scene.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { TcpRelay } from "../support/tcp_relay.ts";
import { waitUntil } from "../support/wait_until.ts";

const GRACE = 30_000;
const GUESTS = 9;

Deno.test("[design 6a, 6d] ten clients at work, the server is killed: all come back, and nothing acknowledged is missing", async () => {
  const logins = Array.from({ length: GUESTS + 1 }, (_, index) => `user${index}`);
  await using server = await ServerProcess.prepare(logins);
  await server.start();
  await using relay = new TcpRelay(addressOf(server));
  const clients: CollabClient[] = [];
  const folder = await Deno.makeTempDir({ prefix: "parley-ten-" });
  await Deno.writeTextFile(`${folder}/notes.md`, "begin\n");
  try {
    for (const login of logins) {
      const { id, token } = server.users.get(login)!;
      clients.push(
        await CollabClient.connect({
          serverUrl: relay.url,
          transport: denoTransport,
          credentials: { userId: id, token },
        }),
      );
    }
    const [host, ...guests] = clients as [CollabClient, ...CollabClient[]];
    const room = await Room.create(host);
    const shared = await room.share({ folders: [new DiskFiles(folder)] });
    await shared.flushed();
    const joined = await Promise.all(guests.map(async (guest) => {
      guest.onRequest("IncomingCall", () => ({}));
      guest.onMessage("CallCanceled", () => {});
      await host.requestContact(guest.userId);
      await guest.acceptContact(host.userId);
      await room.call(guest.userId, shared.id);
      const project = await (await Room.join(guest, room.id)).joinProject(shared.id);
      return { project, buffer: await project.openBuffer("notes.md", 1n) };
    }));
    const epoch = host.peerId.ownerId;
    const original = await shared.openBuffer("notes.md");
    const all = [original, ...joined.map(({ buffer }) => buffer)];
    const type = (round: string) => {
      for (const [index, buffer] of all.entries()) {
        buffer.edit([{ start: 0, end: 0, text: `${round}${index};` }]);
      }
    };
    type("early");
    await shared.buffers.idle();
    await Promise.all(joined.map(({ project }) => project.buffers.idle()));
    // Entries that the server has acknowledged to the host, and that only it can give back.
    await shared.worktree(1n).create("acknowledged.txt", new Uint8Array());
    await shared.flushed();
    type("in flight");
    const lost = clients.map(({ peer }) => peer.closed);
    await server.kill();
    await Promise.all(lost);
    type("offline");
    await server.start();
    relay.target = addressOf(server);
    await Promise.all(clients.map(async (client) => {
      await waitUntil(() => client.connection.connect().then(() => true));
      await client.connection.rejoining.settled();
    }));
    assertEquals(clients.map(({ peerId }) => peerId.ownerId), clients.map(() => epoch + 1));
    await room.until(({ participants }) =>
      participants.length === clients.length &&
      participants.every(({ peerId }) => peerId?.ownerId === epoch + 1)
    );
    await waitUntil(() => all.every(({ text }) => text === original.text), {
      describe: "all texts to be the same",
    });
    for (const round of ["early", "in flight", "offline"]) {
      for (const index of all.keys()) assert(original.text.includes(`${round}${index};`));
    }
    for (const { project } of joined) {
      await project.tree.until(1n, shared.worktree(1n).scanId);
      assert(project.tree.find("acknowledged.txt") !== undefined);
      assertEquals(project.collaborators.all.length, GUESTS);
    }
    assertEquals(joined.map(({ project }) => project.replicaId).sort((a, b) => a - b), [
      ...Array.from({ length: GUESTS }, (_, index) => 8 + index),
    ]);
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[rooms 19.13, 14.4.1] [projects 12.3.1] two quick reconnects in a row, the old sockets still there or not, keep one seat", async () => {
  for (const alive of [false, true]) {
    await using scene = await Scene.open({ guests: 1 });
    const { clock, guest, host, projectId } = scene;
    if (!alive) await scene.lose(guest);
    const second = await reconnect(scene, "guest1");
    await second.call("RejoinRoom", known(scene));
    if (!alive) await scene.lose(second);
    const third = await reconnect(scene, "guest1");
    await third.call("RejoinRoom", known(scene));
    await scene.quiet();
    if (alive) {
      await scene.lose(second);
      await scene.lose(guest);
    }
    const told = () =>
      host.all("UpdateProjectCollaborator").map(({ oldPeerId, newPeerId }) => [
        oldPeerId,
        newPeerId,
      ]);
    assertEquals(told(), [[guest.peerId, second.peerId], [second.peerId, third.peerId]]);
    host.skip();
    // The graces of both lost connections end, and take nothing from the third.
    clock.advance(2 * GRACE);
    await scene.quiet();
    assertEquals(host.fresh().filter(({ name }) => name !== "UpdateContacts"), []);
    third.send("UpdateBuffer", { projectId, bufferId: 1n });
    assertEquals((await host.next("UpdateBuffer")).originalSenderId, third.peerId);
  }
});

Deno.test("[rooms 14.1, 14.3, 8.2e] whoever is signed out by the server loses the seat after the grace, as by any loss", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  server.server.actors.signOutUser(Number(b.userId));
  await b.closed;
  assertEquals(await stage.heard("A1"), []);
  await a.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  assertEquals((await stage.heard("A1"))[0], "RoomUpdated A1 0 Admin in own, B1 1 Member");
  clock.advance(GRACE);
  assertEquals((await stage.heard("A1"))[0], "RoomUpdated A1 0 Admin in own");
});
