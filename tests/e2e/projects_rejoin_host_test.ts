import { assert, assertEquals } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import {
  applied,
  isError,
  known,
  reconnect,
  reshared,
  toldOfProjects,
  tree,
} from "../support/rejoin.ts";
import { entries, entry, FEATURES, Scene } from "../support/scene.ts";
import { settle, type TestPeer } from "../support/test_peer.ts";

const bufferId = 700n;

Deno.test("[projects 16.6] [projects 12.3.2] [projects 12.5.1] [projects 12.5.3] [projects 15.5j] [projects 9.5] [projects 15.5i] a host is lost and comes back: its answer first, then the guests' resynchronisation", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(2), scanId: 1n });
  const late = await scene.enter("late");
  const pending = a!.send("OpenBufferByPath", { projectId });
  await host.next("OpenBufferByPath");
  await scene.lose(host);
  assertEquals(await toldOfProjects(scene, a!), [`Error re ${pending}`]);
  await scene.join(late);
  await scene.quiet();
  const back = await reconnect(scene, "host");
  // As clients do: resynchronise the moment that the host's new id is there.
  const before = [a!, b!, late].map((guest) => guest.received.length);
  for (const guest of [a!, b!, late]) {
    guest.on("UpdateProjectCollaborator", () => {
      guest.send("SynchronizeBuffers", { projectId, buffers: [{ id: bufferId }] });
    });
  }
  const rejoin = back.send("RejoinRoom", reshared(scene, [tree(100n, "app"), tree(101n, "new")]));
  const [answer, room, ...synchronize] = await toldOfProjects(scene, back, a!, b!, late);
  assertEquals([answer, room], [`RejoinRoomResponse re ${rejoin}`, "RoomUpdated"]);
  assertEquals(synchronize.toSorted(), [
    "SynchronizeBuffers from guest1",
    "SynchronizeBuffers from guest2",
    "SynchronizeBuffers from late",
  ]);
  for (const [index, guest] of [a!, b!, late].entries()) {
    const told = guest.received.slice(before[index])
      .filter(({ name }) => name !== "UpdateContacts");
    assertEquals(told.map(({ name }) => name), [
      "RoomUpdated",
      "UpdateProjectCollaborator",
      "UpdateProject",
    ]);
    assertEquals(told[1]?.value, {
      projectId,
      oldPeerId: host.peerId,
      newPeerId: back.peerId,
    });
    assertEquals(told[1]?.originalSenderId, undefined);
    assertEquals(told[2]?.originalSenderId, back.peerId);
    assertEquals(
      (told[2]?.value as MessageTypes["UpdateProject"]).worktrees.map(({ id }) => id),
      [100n, 101n],
    );
  }
  const response = back.all("RejoinRoomResponse")[0]!;
  assertEquals(
    response.resharedProjects.map(({ id, collaborators }) => [
      id,
      collaborators.map((one) => [scene.nameOf(one.peerId!), one.replicaId, one.isHost]),
    ]),
    [[projectId, [["guest1", 8, false], ["guest2", 9, false], ["late", 10, false]]]],
  );
  assertEquals(response.rejoinedProjects, []);
  // It resumes: increments on what is stored, and the new worktree.
  for (const [worktreeId, rootName] of [[100n, "app"], [101n, "new"]] as const) {
    await back.call(
      "UpdateWorktree",
      scene.worktreeUpdate({
        worktreeId,
        rootName,
        updatedEntries: [entry(50n, "more")],
        scanId: 2n,
      }),
    );
  }
  const joiner = await scene.connect("joiner");
  await back.call("RequestContact", { responderId: joiner.userId });
  await joiner.call("RespondToContactRequest", { requesterId: back.userId, response: 0 });
  const rung = back.call("Call", { roomId: scene.roomId, calledUserId: joiner.userId });
  joiner.reply(await joiner.next("IncomingCall"), "Ack", {});
  await rung;
  await joiner.call("JoinRoom", { id: scene.roomId });
  await scene.join(joiner);
  await joiner.settle();
  assertEquals(applied(joiner), [[1n, "file1"], [2n, "file2"], [50n, "more"]]);
});

Deno.test("[projects 12.3.2] [projects 13.3c] reshared worktrees are added, renamed and removed as in UpdateProject", async () => {
  await using scene = await Scene.open({
    share: { worktrees: [tree(100n, "app"), tree(101n, "gone")] },
  });
  const { host, guest, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(1) });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "kept" });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 101n, path: "", content: "gone" });
  await scene.quiet();
  await scene.lose(host);
  const back = await reconnect(scene, "host");
  await back.call("RejoinRoom", reshared(scene, [tree(100n, "renamed"), tree(102n, "new")]));
  assertEquals(await toldOfProjects(scene, guest), [
    "RoomUpdated",
    "UpdateProjectCollaborator",
    "UpdateProject from host",
    "UpdateWorktreeSettings",
  ]);
  guest.send("LeaveProject", { projectId });
  const answer = await scene.join(guest);
  await guest.settle();
  assertEquals(answer.worktrees.map(({ id, rootName }) => [id, rootName]), [
    [100n, "renamed"],
    [102n, "new"],
  ]);
  assertEquals(applied(guest), [[1n, "file1"]]);
  assertEquals(guest.all("UpdateWorktreeSettings").at(-1)?.content, "kept");
});

Deno.test("[projects 16.6] [projects 12.3.3] [rooms 10.9.3] projects that the host does not list are over, and their guests are told", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const other = await scene.share(host);
  await scene.join(guest, other);
  await scene.quiet();
  await scene.lose(host);
  const back = await reconnect(scene, "host");
  await back.call("RejoinRoom", reshared(scene));
  assertEquals(await toldOfProjects(scene, guest), [
    "UnshareProject",
    "RoomUpdated",
    "UpdateProjectCollaborator",
    "UpdateProject from host",
  ]);
  assertEquals(guest.all("UnshareProject"), [{ projectId: other }]);
  const listed = guest.all("RoomUpdated").at(-1)?.room?.participants.flatMap((one) =>
    one.projects.map(({ id }) => id)
  );
  assertEquals(listed, [projectId]);
  assert(isError(await guest.ask("JoinProject", { projectId: other, features: FEATURES })));
});

Deno.test("[projects 12.3] [projects 14a] any error of a rejoin leaves everything as it was", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId, roomId } = scene;
  const guests = await scene.share(b!);
  await scene.quiet();
  await scene.lose(host);
  const back = await reconnect(scene, "host");
  const own = { projectId, worktrees: [tree(102n, "changed")] };
  const wrong: Init<MessageTypes["RejoinRoom"]>[] = [
    { id: roomId + 1n, resharedProjects: [own] },
    { id: roomId, resharedProjects: [own, { projectId: 999n }] },
    { id: roomId, resharedProjects: [own, { projectId: guests }] },
  ];
  for (const request of wrong) assert(isError(await back.ask("RejoinRoom", request)));
  const stranger = await reconnect(scene, "stranger");
  assert(isError(await stranger.ask("RejoinRoom", { id: roomId })));
  assertEquals(await toldOfProjects(scene, a!), []);
  // The old connection still has the seat and the project; the new one has nothing.
  assert(isError(await back.ask("UpdateProject", { projectId, worktrees: [] })));
  assert(isError(await back.ask("UpdateBuffer", { projectId, bufferId })));
  assert(isError(await back.ask("UpdateParticipantLocation", { roomId, location: {} })));
  assert(isError(await a!.ask("GetHover", { projectId })));
  assert(isError(await back.ask("ShareProject", { roomId, worktrees: [] })));
  a!.skip();
  await a!.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
  const [seat] = (await a!.next("RoomUpdated")).value.room!.participants;
  assertEquals(seat?.peerId, host.peerId);
  assertEquals(seat?.projects, [{ id: projectId, worktreeRootNames: ["app"] }]);
  await scene.quiet();
  await back.call("RejoinRoom", reshared(scene));
  await scene.quiet();
  clock.advance(60_000);
  assertEquals(await toldOfProjects(scene, a!), []);
});

Deno.test("[projects 12.3.1] a rejoin takes the seat from a connection that is still there", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId } = scene;
  const second = await reconnect(scene, "guest1");
  await second.call("RejoinRoom", known(scene));
  await scene.quiet();
  assert(isError(await a!.ask("UpdateBuffer", { projectId, bufferId })));
  a!.skip();
  second.send("UpdateBuffer", { projectId, bufferId });
  assertEquals(await toldOfProjects(scene, host, second), ["UpdateBuffer from guest1"]);
  assertEquals(await toldOfProjects(scene, b!), ["UpdateBuffer from guest1"]);
  assertEquals(await toldOfProjects(scene, a!), []);
  await scene.lose(a!);
  clock.advance(60_000);
  assertEquals(await toldOfProjects(scene, host), []);
});

Deno.test("[projects 12.3.1] [projects 8.1.6] [projects 15.5l] what was asked of a host over a connection that he has left, and that is still there, fails at once", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const other = await scene.share(b!);
  await scene.join(a!, other);
  await scene.quiet();
  const edit = a!.send("UpdateBuffer", { projectId, bufferId });
  const hover = b!.send("GetHover", { projectId });
  const elsewhere = a!.send("GetHover", { projectId: other });
  const asked = await host.next("GetHover");
  await scene.quiet();
  const back = await reconnect(scene, "host");
  await back.call("RejoinRoom", reshared(scene));
  const rest = ["RoomUpdated", "UpdateProjectCollaborator", "UpdateProject from host"];
  assertEquals(await toldOfProjects(scene, a!), [`Error re ${edit}`, ...rest]);
  assertEquals(await toldOfProjects(scene, b!), [`Error re ${hover}`, ...rest]);
  for (const id of [edit, hover]) {
    const error = (id === edit ? a! : b!).answers(id)[0]?.value as MessageTypes["Error"];
    assertEquals([error.code, error.message], [0, "connection was closed"]);
  }
  // What comes over the old one all the same is an answer to nothing; others are answered as ever.
  host.reply(asked, "GetHoverResponse", {});
  b!.reply(b!.received.findLast(({ name }) => name === "GetHover")!, "GetHoverResponse", {});
  assertEquals(await toldOfProjects(scene, b!, host), []);
  assertEquals(await toldOfProjects(scene, a!), [`GetHoverResponse re ${elsewhere}`]);
  assertEquals(host.end, undefined);
});

for (const order of ["host first", "guest first"] as const) {
  Deno.test(`[projects 19.17] [projects 12.4a] host and guest both return after a deletion, ${order}: all trees are equal`, async () => {
    await using scene = await Scene.open({ guests: 2 });
    const { host, guests: [a, b] } = scene;
    await scene.updateWorktree({ updatedEntries: entries(5), scanId: 1n });
    await scene.quiet();
    const had = new Map(applied(a!));
    await scene.lose(a!);
    await scene.updateWorktree({ removedEntries: [2n], scanId: 2n });
    await scene.lose(host);
    const rejoinHost = async () => {
      const peer = await reconnect(scene, "host");
      await peer.call("RejoinRoom", reshared(scene));
      await peer.call(
        "UpdateWorktree",
        scene.worktreeUpdate({
          removedEntries: [4n],
          updatedEntries: [entry(6n, "new")],
          scanId: 3n,
        }),
      );
      return peer;
    };
    const rejoinGuest = async () => {
      const peer = await reconnect(scene, "guest1");
      await peer.call("RejoinRoom", known(scene, { worktrees: [{ id: 100n, scanId: 1n }] }));
      return peer;
    };
    let back: TestPeer;
    let hostBack: TestPeer;
    if (order === "host first") {
      hostBack = await rejoinHost();
      back = await rejoinGuest();
    } else {
      back = await rejoinGuest();
      hostBack = await rejoinHost();
    }
    await settle(hostBack, back, b!);
    const expected = [[1n, "file1"], [3n, "file3"], [5n, "file5"], [6n, "new"]];
    assertEquals(applied(back, had), expected);
    assertEquals(applied(b!), expected);
    b!.send("LeaveProject", { projectId: scene.projectId });
    const before = b!.all("UpdateWorktree").length;
    await scene.join(b!);
    await b!.settle();
    const whole = b!.all("UpdateWorktree").slice(before).flatMap((one) => one.updatedEntries);
    assertEquals(whole.map(({ id }) => id).sort(), [1n, 3n, 5n, 6n]);
  });
}

Deno.test("[projects 12.5.3] [projects 12.5.4] [projects 12.5.5] [projects 12.3] one rejoin moves a hosted and a joined project together", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  const own = await scene.share(a!);
  await scene.join(b!, own);
  await scene.quiet();
  await scene.lose(a!);
  const back = await reconnect(scene, "guest1");
  const rejoin = back.send("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId: own, worktrees: [tree(100n, "app")] }],
    rejoinedProjects: [{ id: projectId, worktrees: [{ id: 100n, scanId: 0n }] }],
  });
  assertEquals(await toldOfProjects(scene, back), [
    `RejoinRoomResponse re ${rejoin}`,
    "RoomUpdated",
    "UpdateWorktree",
  ]);
  assertEquals(await toldOfProjects(scene, b!), [
    "RoomUpdated",
    "UpdateProjectCollaborator",
    "UpdateProject from guest1",
    "UpdateProjectCollaborator",
  ]);
  assertEquals(b!.all("UpdateProjectCollaborator").map((one) => one.projectId), [own, projectId]);
  assertEquals(await toldOfProjects(scene, host), ["RoomUpdated", "UpdateProjectCollaborator"]);
});

Deno.test("[projects 12.5.6] contacts hear of a rejoin behind everything else", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  await scene.lose(host);
  await scene.quiet();
  const back = await reconnect(scene, "host");
  const rejoin = back.send("RejoinRoom", reshared(scene));
  assertEquals((await scene.told(back)).slice(0, 2), [
    `RejoinRoomResponse re ${rejoin}`,
    "RoomUpdated",
  ]);
  assertEquals(await scene.told(guest), [
    "RoomUpdated",
    "UpdateProjectCollaborator",
    "UpdateProject from host",
    "UpdateContacts",
  ]);
});
