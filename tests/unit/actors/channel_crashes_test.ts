/** Trees that crash, or whose changes the database refuses. [design 1.3] [design 1.6] */
import { assertEquals } from "@std/assert";
import type { ChannelRef, RoomRef } from "../../../actors/refs/mod.ts";
import type { Room } from "../../../actors/room/room.ts";
import { edit } from "../../support/notes.ts";
import { createTestTree, subscribe } from "./channel_world.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

/** Names and codes of what a client was told. */
function told(client: Client): string[] {
  return client.take().map(({ name, value }) => name === "Error" ? `Error ${value.code}` : name);
}

Deno.test("[design 1.3d] [channels 18aa] a change of a tree that is refused is told to nobody, and the tree goes on", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  refusing.actor = `/channels/${root}`;
  owner.send("RenameChannel", { channelId: root, name: "lost" });
  await world.settle();
  assertEquals([told(owner), told(member)], [["Error 0"], []]);
  owner.send("CreateChannel", { name: "below", parentId: root });
  await world.settle();
  assertEquals(told(owner), ["CreateChannelResponse", "UpdateChannels"]);
  member.send("SubscribeToChannels", {});
  await world.settle();
  const [, , update] = member.take();
  assertEquals(
    (update?.value.channels as { name: string }[]).map(({ name }) => name),
    ["below", "root"],
  );
});

Deno.test("[design 1.3d] [channels 7.1] a root that could not be stored is not there", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner } = await createTestTree(world);
  refusing.actor = "/channels/2";
  owner.send("CreateChannel", { name: "lost" });
  await world.settle();
  assertEquals(told(owner), ["Error 0"]);
  await subscribe(world, owner);
  owner.send("RenameChannel", { channelId: 2n, name: "x" });
  await world.settle();
  assertEquals(told(owner), ["Error 1"]);
  assertEquals([...world.actors.memberships.rootsOf(owner.userId)], [1]);
});

Deno.test("[design 1.3d] [channels 7.2] a root whose end could not be stored is there again", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  refusing.actor = `/channels/${root}`;
  owner.send("DeleteChannel", { channelId: root });
  await world.settle();
  assertEquals([told(owner), told(member)], [["Error 0"], []]);
  owner.send("RenameChannel", { channelId: root, name: "again" });
  await world.settle();
  assertEquals(told(owner), ["RenameChannelResponse", "UpdateChannels"]);
  assertEquals(told(member), ["UpdateChannels"]);
});

Deno.test("[design 1.6] [channels 6.4] who subscribes while a tree comes back sees all trees at once", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner } = await createTestTree(world);
  owner.send("CreateChannel", { name: "second" });
  await world.settle();
  owner.take();
  world.actors.registry.channels.get(Number(root))?.refusedByStore();
  owner.send("SubscribeToChannels", {});
  owner.send("RenameChannel", { channelId: 2n, name: "renamed" });
  await world.settle();
  const updates = owner.take().filter(({ name }) => name === "UpdateChannels");
  const names = updates.map(({ value }) =>
    (value.channels as { name: string }[]).map((one) => one.name)
  );
  // The last word about the second tree is its new name.
  assertEquals(names.at(-1), ["root", "renamed"]);
});

Deno.test("[design 1.6] [channels 7.12] a user's actor that starts over does not keep the seat waiting", async () => {
  await using world = await World.start();
  const { root, owner } = await createTestTree(world);
  owner.send("JoinChannel", { channelId: root });
  await world.settle();
  world.actors.registry.users.get(owner.userId)?.refusedByStore();
  owner.take();
  owner.send("LeaveRoom", {});
  owner.send("JoinChannel", { channelId: root });
  await world.settle();
  assertEquals(told(owner), [
    "UpdateChannels",
    "Ack",
    "JoinRoomResponse",
    "RoomUpdated",
    "UpdateChannels",
  ]);
});

Deno.test("[design 1.6] a tree that is out of order stays so, and says so, when the database refuses more of it", async () => {
  await using world = await World.start();
  const { root, owner } = await createTestTree(world);
  const tree = world.actors.registry.channels.get(Number(root))!;
  for (let time = 0; time < 4; time++) {
    tree.refusedByStore();
    await world.settle();
  }
  // What it had written before comes back refused, too.
  tree.refusedByStore();
  owner.send("RenameChannel", { channelId: root, name: "x" });
  await world.settle();
  assertEquals(told(owner), ["Error 0"]);
  await world.clock.advanceAsync(60_000);
  owner.send("RenameChannel", { channelId: root, name: "y" });
  await world.settle();
  assertEquals(told(owner), ["RenameChannelResponse", "UpdateChannels"]);
});

Deno.test("[design 1.3d] [channels 7.12] who became a member by joining hears so, though the seat was refused", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner } = await createTestTree(world);
  owner.send("SetChannelVisibility", { channelId: root, visibility: 0 });
  const visitor = await world.connect("visitor");
  await subscribe(world, visitor);
  refusing.actor = "/rooms/1";
  visitor.send("JoinChannel", { channelId: root });
  await world.settle();
  const [error, membership, update] = visitor.take();
  assertEquals([error?.name, membership?.name], ["Error", "UpdateUserChannels"]);
  assertEquals(membership?.value.channelMemberships, [{ channelId: root, role: 2 }]);
  assertEquals((update?.value.channels as { id: bigint }[]).map(({ id }) => id), [root]);
});

Deno.test("[design 1.6] [channels 7.12] who became a member by joining hears so, and has one answer, though his actor starts over", async () => {
  for (const stage of ["channel.join", "room.join_channel"]) {
    await using world = await World.start();
    const { root, owner } = await createTestTree(world);
    owner.send("SetChannelVisibility", { channelId: root, visibility: 0 });
    const visitor = await world.connect("visitor");
    await subscribe(world, visitor);
    const { registry } = world.actors;
    const { createRoom } = world.actors;
    // Whoever gets that message, and the user, start over before it is handled.
    const cross = (actor: ChannelRef | RoomRef) => {
      const { tell } = actor as { tell(message: { type: string }, gate: number): void };
      (actor as { tell: typeof tell }).tell = (message, gate) => {
        if (message.type === stage) {
          Object.assign(actor, { tell });
          (actor as ChannelRef & RoomRef).refusedByStore();
          registry.users.get(visitor.userId)?.refusedByStore();
        }
        tell.call(actor, message, gate);
      };
    };
    cross(registry.channels.get(Number(root)) as ChannelRef);
    world.actors.createRoom = (...args) => {
      const room = createRoom.apply(world.actors, args);
      cross(room);
      return room;
    };
    visitor.send("JoinChannel", { channelId: root });
    await world.settle();
    const heard = visitor.take();
    assertEquals(heard.filter(({ respondingTo }) => respondingTo !== undefined).length, 1, stage);
    const memberships = heard.filter(({ name }) => name === "UpdateUserChannels")
      .map(({ value }) => value.channelMemberships);
    assertEquals(memberships.at(0), [{ channelId: root, role: 2 }], stage);
  }
});

Deno.test("[design 1.6] [channels 7.12] who became a member by joining hears so, though the call is out of order", async () => {
  await using world = await World.start();
  const { root, owner } = await createTestTree(world);
  owner.send("SetChannelVisibility", { channelId: root, visibility: 0 });
  owner.send("JoinChannel", { channelId: root });
  const visitor = await world.connect("visitor");
  await subscribe(world, visitor);
  const [room] = world.actors.registry.rooms.values();
  for (let time = 0; time < 4; time++) {
    (room as Room).refusedByStore();
    await world.settle();
  }
  visitor.send("JoinChannel", { channelId: root });
  await world.settle();
  assertEquals(told(visitor), ["Error 0", "UpdateUserChannels", "UpdateChannels"]);
});

Deno.test("[design 1.3b, 1.3d] [channels 5.5] whose role is taken back hears of nothing that it let him see; the others hear of it all the same", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  const third = await world.connect("third");
  await subscribe(world, third);
  owner.send("InviteChannelMember", { channelId: root, userId: BigInt(third.userId), role: 2 });
  owner.send("JoinChannelBuffer", { channelId: root });
  third.send("RespondToChannelInvite", { channelId: root, accept: true });
  await world.settle();
  for (const client of [owner, member, third]) client.take();
  refusing.actor = `/channels/${root}`;
  owner.send("SetChannelMemberRole", {
    channelId: root,
    userId: BigInt(third.userId),
    role: 1,
  });
  owner.send("UpdateChannelBuffer", {
    channelId: root,
    operations: [edit([8, 2], [], [0, 0], "x")],
  });
  await world.settle();
  assertEquals(told(owner).includes("Error 0"), true);
  assertEquals(
    third.take().map((
      { name, value },
    ) => [name, value.channels, value.latestChannelBufferVersions]),
    [["UpdateUserChannels", undefined, undefined], ["UpdateChannels", [], []]],
  );
  const marks = member.take().filter(({ name }) => name === "UpdateChannels")
    .flatMap(({ value }) => value.latestChannelBufferVersions as { version: unknown[] }[]);
  assertEquals(marks.map(({ version }) => version), [[{ replicaId: 8, timestamp: 2 }]]);
});

Deno.test("[design 1.3d] [channels 6.4] who subscribes gets his channels, though a change in them is taken back", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  refusing.actor = `/channels/${root}`;
  owner.send("RenameChannel", { channelId: root, name: "lost" });
  member.send("SubscribeToChannels", {});
  await world.settle();
  assertEquals(told(owner), ["Error 0"]);
  const [first, second, ...more] = member.take();
  assertEquals([first?.name, second?.name, more], ["UpdateUserChannels", "UpdateChannels", []]);
  assertEquals((second?.value.channels as { name: string }[]).map(({ name }) => name), ["root"]);
});

Deno.test("[design 1.3b] [channels 6.4] who subscribes hears of nobody in a call that is not stored", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  refusing.actor = "/rooms/1";
  owner.send("JoinChannel", { channelId: root });
  member.send("SubscribeToChannels", {});
  await world.settle();
  assertEquals(told(owner).includes("Error 0"), true);
  const updates = member.take().filter(({ name }) => name === "UpdateChannels");
  const people = updates.flatMap(({ value }) =>
    value.channelParticipants as { participantUserIds: bigint[] }[]
  );
  assertEquals(people.flatMap(({ participantUserIds }) => participantUserIds), []);
  assertEquals(updates.some(({ value }) => (value.channels as unknown[]).length === 1), true);
});

/** The first client is in the tree's call and changes the tree; the database will take it back. */
async function callAndLose(
  world: World,
  refusing: Refusing,
  root: bigint,
  clients: readonly [Client, ...Client[]],
): Promise<void> {
  const [owner] = clients;
  owner.send("JoinChannel", { channelId: root });
  await world.settle();
  for (const client of clients) client.take();
  refusing.actor = `/channels/${root}`;
  owner.send("RenameChannel", { channelId: root, name: "lost" });
}

Deno.test("[design 1.3d] [channels 7.13] that a call is over is heard, though a change of the tree is taken back", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  await callAndLose(world, refusing, root, [owner, member]);
  owner.send("LeaveRoom", {});
  await world.settle();
  assertEquals(told(owner).includes("Error 0"), true);
  const calls = member.take().filter(({ name }) => name === "UpdateChannels")
    .flatMap(({ value }) => value.channelParticipants);
  assertEquals(calls, [{ channelId: root, participantUserIds: [] }]);
});

Deno.test("[design 1.3d] [channels 7.13] who is in a call is heard, though a change of the tree is taken back", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  await callAndLose(world, refusing, root, [owner, member]);
  // As from a room that has started over: nothing of its own waits any more.
  world.actors.registry.channels.get(Number(root))?.tell({
    type: "channel.call_changed",
    channelId: Number(root),
    roomId: 1,
    active: [owner.userId],
    seated: [owner.userId],
    ended: false,
    announce: true,
  }, 0);
  await world.settle();
  const calls = member.take().filter(({ name }) => name === "UpdateChannels")
    .flatMap(({ value }) => value.channelParticipants);
  assertEquals(calls, [{ channelId: root, participantUserIds: [BigInt(owner.userId)] }]);
});

Deno.test("[design 1.3d] [channels 7.8] an answer to an invitation that is refused leaves its notification open", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { root, owner } = await createTestTree(world);
  const guest = await world.connect("guest");
  owner.send("InviteChannelMember", { channelId: root, userId: BigInt(guest.userId), role: 1 });
  await world.settle();
  guest.take();
  const answer = async () => {
    guest.send("RespondToChannelInvite", { channelId: root, accept: true });
    await world.settle();
    const all = guest.take();
    guest.send("GetNotifications", {});
    await world.settle();
    const [list] = guest.take();
    const [notification] = list!.value.notifications as { response?: boolean }[];
    return [all.at(-1)!.name, notification?.response];
  };
  refusing.actor = `/channels/${root}`;
  assertEquals(await answer(), ["Error", undefined]);
  assertEquals(await answer(), ["Ack", true]);
});
