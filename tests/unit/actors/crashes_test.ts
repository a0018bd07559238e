/** Actors that crash, or whose changes the database refuses, among others that go on. */
import { assert, assertEquals } from "@std/assert";
import type { Room as RoomMessage } from "../../../proto/mod.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

function lastRoom(client: Client): RoomMessage {
  const updates = client.take().filter(({ name }) => name === "RoomUpdated");
  return updates.at(-1)?.value.room as RoomMessage;
}

Deno.test("[design 1.3d] a refused change is taken back: its sender hears an Error, the others nothing", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { roomId, clients } = await world.meet("host", "ann", "bob");
  const [host, ann, bob] = clients as [Client, Client, Client];
  refusing.actor = `/rooms/${roomId}`;
  ann.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  const told = ann.take();
  assertEquals(told.map(({ name, respondingTo }) => [name, respondingTo !== undefined]), [
    ["Error", true],
  ]);
  assertEquals([host.take(), bob.take(), world.failures], [[], [], []]);
  // The room goes on from what is stored, with everybody in it.
  bob.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  const room = lastRoom(host);
  assertEquals(room.participants.map(({ location }) => Object.keys(location ?? {})), [
    ["external"],
    ["external"],
    ["unsharedProject"],
  ]);
  assertEquals([host, ann, bob].map(({ socket }) => socket.closed), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("[design 1.3d] who took a seat elsewhere is gone from the room, though its own change was refused", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { roomId, clients } = await world.meet("host", "ann");
  const [host, ann] = clients as [Client, Client];
  ann.send("CreateChannel", { name: "place" });
  await world.settle();
  const { id: channelId } = ann.find("CreateChannelResponse").value.channel as { id: bigint };
  refusing.actor = `/rooms/${roomId}`;
  ann.send("JoinChannel", { channelId });
  await world.settle();
  ann.find("JoinRoomResponse");
  assertEquals(lastRoom(host).participants.map(({ userId }) => Number(userId)), [host.userId]);
});

Deno.test("[design 1.3d] [rooms 10.5] who answered a call, was taken back and went elsewhere is rung on no device any more", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { roomId, clients } = await world.meet("host", "ann");
  const [host, ann] = clients as [Client, Client];
  ann.send("LeaveRoom", {});
  ann.send("CreateChannel", { name: "place" });
  const other = await world.connect("ann");
  await world.settle();
  const { id: channelId } = ann.find("CreateChannelResponse").value.channel as { id: bigint };
  host.send("Call", { roomId, calledUserId: BigInt(ann.userId) });
  await world.settle();
  assertEquals(other.find("IncomingCall").value.roomId, roomId);
  refusing.actor = `/rooms/${roomId}`;
  ann.send("JoinRoom", { id: roomId });
  ann.send("JoinChannel", { channelId });
  await world.settle();
  ann.find("JoinRoomResponse");
  assertEquals(other.find("CallCanceled").value.roomId, roomId);
});

Deno.test("[design 1.6] a room that loses a change keeps its projects and their guests", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const roomAddress = [...world.actors.registry.rooms.keys()].map((id) => `/rooms/${id}`)[0];
  refusing.actor = roomAddress;
  host.send("UpdateWorktree", { projectId, worktreeId: 1n, scanId: 1n, rootName: "lost" });
  await world.settle();
  assertEquals(host.take().map(({ name }) => name), ["Error"]);
  assertEquals(ann.take(), []);
  const id = host.send("UpdateWorktree", {
    projectId,
    worktreeId: 1n,
    scanId: 2n,
    rootName: "kept",
    isLastUpdate: true,
  });
  ann.send("SaveBuffer", { projectId });
  await world.settle();
  assertEquals(
    host.take().map(({ name, respondingTo }) => [name, respondingTo]).toSorted(),
    [["Ack", id], ["SaveBuffer", undefined]],
  );
  assertEquals(ann.take().map(({ name, value }) => [name, value.rootName]), [
    ["UpdateWorktree", "kept"],
  ]);
});

Deno.test("[design 1.6] while a room is loaded again its messages wait, other rooms go on", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const one = await world.meet("host", "ann");
  const other = await world.meet("carl", "dora");
  const [host, ann] = one.clients as [Client, Client];
  const [carl, dora] = other.clients as [Client, Client];
  refusing.actor = `/rooms/${one.roomId}`;
  ann.send("UpdateParticipantLocation", {
    roomId: one.roomId,
    location: { unsharedProject: {} },
  });
  // The transaction is refused here; what comes now finds a room that is being loaded.
  world.clock.runImmediates();
  host.send("UpdateParticipantLocation", {
    roomId: one.roomId,
    location: { unsharedProject: {} },
  });
  carl.send("UpdateParticipantLocation", {
    roomId: other.roomId,
    location: { unsharedProject: {} },
  });
  world.clock.runImmediates();
  assertEquals(dora.take().map(({ name }) => name), ["RoomUpdated"]);
  await world.settle();
  assertEquals(host.take().map(({ name }) => name), ["RoomUpdated", "Ack"]);
  assertEquals(carl.take().map(({ name }) => name), ["RoomUpdated", "Ack"]);
});

Deno.test("[design 1.6] a room that loses change after change is refused for a minute, with a code", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { roomId, clients } = await world.meet("host", "ann");
  const [, ann] = clients as [Client, Client];
  const move = async () => {
    ann.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
    await world.settle();
    return ann.take().filter(({ respondingTo }) => respondingTo !== undefined);
  };
  for (let crash = 0; crash < 4; crash++) {
    refusing.actor = `/rooms/${roomId}`;
    const [answer] = await move();
    assertEquals(answer?.name, "Error", `crash ${crash}`);
  }
  const [refused] = await move();
  assertEquals([refused?.name, refused?.value.code], ["Error", 0]);
  assert(String(refused?.value.message).includes("out of order"), `${refused?.value.message}`);
  await world.clock.advanceAsync(60_000);
  assertEquals((await move()).map(({ name }) => name), ["Ack"]);
});

Deno.test("[design 1.3e] when the database takes nothing, nothing is said that is not stored; forwarding goes on", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { projectId, clients } = await world.share("host", "ann", "bob");
  const [host, ann, bob] = clients as [Client, Client, Client];
  host.send("BufferSaved", { projectId });
  assertEquals([ann.take().length, bob.take().length], [1, 1]);
  refusing.failure = new Error("Disk full");
  host.send("UpdateWorktree", { projectId, worktreeId: 1n, scanId: 1n });
  await world.settle();
  assertEquals([host.take(), ann.take(), bob.take()], [[], [], []]);
  assertEquals(world.failures, ["Disk full"]);
});

Deno.test("[design 1.6] a user whose change is lost keeps connections and contacts", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const [ann, bob] = [await world.connect("ann"), await world.connect("bob")];
  for (const client of [ann, bob]) client.take();
  refusing.actor = `/users/${ann.userId}`;
  ann.send("RequestContact", { responderId: BigInt(bob.userId) });
  await world.settle();
  assertEquals(
    ann.take().filter(({ respondingTo }) => respondingTo !== undefined).map(({ name }) => name),
    ["Error"],
  );
  // Who may have been told of it in another message's place hears that it does not hold.
  assertEquals(bob.take().map(({ name }) => name), ["UpdateContacts"]);
  ann.send("RequestContact", { responderId: BigInt(bob.userId) });
  await world.settle();
  assertEquals(ann.take().map(({ name }) => name), ["UpdateContacts", "Ack"]);
  assertEquals(bob.take().map(({ name }) => name), ["UpdateContacts", "AddNotification"]);
  assertEquals([ann.socket.closed, bob.socket.closed], [undefined, undefined]);
});
