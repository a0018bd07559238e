import { assert, assertEquals } from "@std/assert";
import { forwardedRows } from "../support/forwarded_rows.ts";
import { isError, toldOfProjects } from "../support/rejoin.ts";
import { FEATURES, Scene } from "../support/scene.ts";
import { settle, type TestPeer } from "../support/test_peer.ts";

const GRACE = 30_000;
const bufferId = 700n;

Deno.test("[projects 8.1.6] [projects 12.1.1] [projects 15.5l] [projects 16.6] what waits for the host fails the moment its connection is gone", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const waiting = forwardedRows.map(({ request }) => a!.send(request, { projectId }));
  waiting.push(a!.send("UpdateBuffer", { projectId, bufferId }));
  waiting.push(a!.send("LspQuery", { projectId, getHover: {} }));
  const other = b!.send("GetHover", { projectId });
  await scene.told(host, a!, b!);
  await scene.lose(host);
  await settle(a!, b!);
  for (const id of waiting) assertEquals(a!.answers(id).map(isError), [true]);
  assertEquals(b!.answers(other).map(isError), [true]);
});

Deno.test("[projects 8.1.6] [projects 16.6] while the host is away requests fail at once, and edits reach the other guests", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  await scene.lose(host);
  assert(isError(await a!.ask("OpenBufferByPath", { projectId })));
  a!.skip();
  const sent = a!.send("UpdateBuffer", { projectId, bufferId });
  assertEquals(await scene.told(a!), [`Error re ${sent}`]);
  assertEquals(await scene.told(b!), ["UpdateBuffer from guest1"]);
});

Deno.test("[projects 8.1.6] requests that failed are not repeated to the host's next connection", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId, roomId } = scene;
  guest.send("OpenBufferByPath", { projectId });
  guest.send("UpdateBuffer", { projectId, bufferId });
  await host.next("UpdateBuffer");
  await scene.lose(host);
  guest.send("SaveBuffer", { projectId, bufferId });
  const again = await scene.connect("host");
  const rejoin = again.send("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId, worktrees: [{ id: 100n, rootName: "app" }] }],
  });
  assertEquals((await toldOfProjects(scene, again)).slice(-2), [
    `RejoinRoomResponse re ${rejoin}`,
    "RoomUpdated",
  ]);
  assertEquals(
    again.received.filter(({ originalSenderId }) => originalSenderId !== undefined),
    [],
  );
});

Deno.test("[projects 12.1.2] [projects 12.1.3] [projects 1.9] a lost guest keeps its place, and nobody is told until 30 s have passed", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId } = scene;
  await scene.lose(a!);
  clock.advance(GRACE - 1);
  await scene.updateWorktree({});
  assertEquals(await toldOfProjects(scene, b!), ["UpdateWorktree from host"]);
  const late = host.received.at(-1);
  assertEquals(late?.name, "Ack");
  host.skip();
  clock.advance(1);
  for (const peer of [host, b!]) {
    assertEquals(await toldOfProjects(scene, peer), ["RemoveProjectCollaborator", "RoomUpdated"]);
    assertEquals(peer.all("RemoveProjectCollaborator"), [{ projectId, peerId: a!.peerId }]);
  }
  const again = await scene.connect("guest1");
  assert(isError(await again.ask("RejoinRoom", { id: scene.roomId })));
});

Deno.test("[projects 12.1.4] [projects 16.6] [projects 13.3a] a host that does not come back ends its project after 30 s", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId } = scene;
  await scene.lose(host);
  clock.advance(GRACE - 1);
  assertEquals(await toldOfProjects(scene, a!), []);
  clock.advance(1);
  for (const guest of [a!, b!]) {
    assertEquals(await toldOfProjects(scene, guest), ["UnshareProject", "RoomUpdated"]);
  }
  assert(isError(await a!.ask("GetCompletions", { projectId })));
  assert(isError(await a!.ask("JoinProject", { projectId, features: FEATURES })));
  assertEquals(await scene.server.server.store.load("projects"), []);
});

Deno.test("[projects 12.1.4] [projects 16.5] nothing happens 30 s after a loss that a rejoin has made good", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId, roomId } = scene;
  await scene.lose(a!);
  clock.advance(GRACE - 1);
  const again = await scene.connect("guest1");
  await again.call("RejoinRoom", { id: roomId, rejoinedProjects: [{ id: projectId }] });
  await scene.quiet();
  clock.advance(GRACE);
  for (const peer of [host, b!, again]) assertEquals(await toldOfProjects(scene, peer), []);
  assertEquals((await scene.join(await scene.enter("late"))).collaborators.length, 3);
});

Deno.test("[projects 12.1.1] [projects 8.1.7] the requests of a lost guest are abandoned, and the host's answers dropped", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  a!.send("OpenBufferByPath", { projectId });
  const asked = await host.next("OpenBufferByPath");
  await scene.lose(a!);
  const again = await scene.connect("guest1");
  await again.call("RejoinRoom", { id: roomId, rejoinedProjects: [{ id: projectId }] });
  await scene.quiet();
  host.reply(asked, "OpenBufferResponse", { bufferId });
  assertEquals(await toldOfProjects(scene, host), []);
  assertEquals(await toldOfProjects(scene, again), []);
  assertEquals(await toldOfProjects(scene, b!), []);
});

Deno.test("[projects 15.3] [projects 17.9] [projects 19.14] 300 slow requests of a guest hold up neither its edits nor the answers that it owes", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const own = await scene.share(guest);
  await host.call("JoinProject", { projectId: own, features: FEATURES });
  await scene.quiet();
  const slow = Array.from({ length: 300 }, () => guest.send("GetReferences", { projectId }));
  const edit = guest.send("UpdateBuffer", { projectId, bufferId });
  host.reply(await host.next("UpdateBuffer"), "Ack", {});
  assertEquals((await guest.answer(edit)).name, "Ack");
  const asked = host.send("GetHover", { projectId: own });
  guest.reply(await guest.next("GetHover"), "GetHoverResponse", {});
  assertEquals((await host.answer(asked)).name, "GetHoverResponse");
  assertEquals(slow.flatMap((id) => guest.answers(id)), []);
  const waiting = host.received.filter(({ name }) => name === "GetReferences");
  assertEquals(waiting.length, 300);
  for (const request of waiting) host.reply(request, "GetReferencesResponse", {});
  for (const id of slow) assertEquals((await guest.answer(id)).name, "GetReferencesResponse");
});

Deno.test("[projects 15.3] [transport 2.8.1] requests beyond a generous limit are refused one by one, answers are matched all the same", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const ids = Array.from({ length: 5000 }, () => guest.send("GetHover", { projectId }));
  await settle(guest, host);
  const refused = ids.filter((id) => guest.answers(id).length > 0);
  assert(refused.length > 0 && refused.length < 4000, `${refused.length} were refused`);
  assert(refused.every((id) => guest.answers(id)[0]?.name === "Error"));
  for (const request of host.received.filter(({ name }) => name === "GetHover")) {
    host.reply(request, "GetHoverResponse", {});
  }
  await settle(host, guest);
  const answered = guest.received.filter(({ name }) => name === "GetHoverResponse");
  assertEquals(answered.length, ids.length - refused.length);
  host.skip();
  const more = guest.send("GetHover", { projectId });
  host.reply(await host.next("GetHover"), "GetHoverResponse", {});
  assertEquals((await guest.answer(more)).name, "GetHoverResponse");
});

Deno.test("[projects 15.2] [projects 19.15] [projects 3c] [design 1.4] two clients that host for each other, and ask each other for every answer, do not deadlock", async () => {
  await using scene = await Scene.open();
  const { host: a, guest: b, projectId: p } = scene;
  const q = await scene.share(b);
  await a.call("JoinProject", { projectId: q, features: FEATURES });
  await scene.quiet();
  /** Answers a request only when its own request to the other one was answered. */
  const chain = (me: TestPeer, projectOfOther: bigint, done: Promise<void>[]) => {
    let depth = 0;
    me.on("OpenBufferByPath", (received) => {
      const answer = depth++ < 20
        ? me.ask("OpenBufferByPath", { projectId: projectOfOther }).then((inner) => {
          assertEquals(inner.name, "OpenBufferResponse");
        })
        : Promise.resolve();
      done.push(answer.then(() => void me.reply(received, "OpenBufferResponse", { bufferId: 1n })));
    });
  };
  const done: Promise<void>[] = [];
  chain(a, q, done);
  chain(b, p, done);
  const answers = await Promise.all([
    a.ask("OpenBufferByPath", { projectId: q }),
    b.ask("OpenBufferByPath", { projectId: p }),
  ]);
  assertEquals(answers.map(({ name }) => name), ["OpenBufferResponse", "OpenBufferResponse"]);
  await Promise.all(done);
  assert(done.length >= 40);
});

Deno.test("[projects 12.1.3] [projects 3a] broadcasts to a lost guest go nowhere, and all others get them", async () => {
  await using scene = await Scene.open({ guests: 3 });
  const { host, guests: [a, b, c], projectId } = scene;
  await scene.lose(b!);
  const update = host.send("UpdateBuffer", { projectId, bufferId });
  host.send("CreateBufferForPeer", { projectId, peerId: b!.peerId });
  host.send("BufferSaved", { projectId, bufferId });
  assertEquals(await scene.told(host), [`Ack re ${update}`]);
  for (const guest of [a!, c!]) {
    assertEquals(await toldOfProjects(scene, guest), [
      "UpdateBuffer from host",
      "BufferSaved from host",
    ]);
  }
});
