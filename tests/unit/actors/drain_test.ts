import { assertEquals } from "@std/assert";
import { Client, World } from "./world.ts";

Deno.test("[rooms 16] a stop ends connections in batches, and nobody leaves a room", async () => {
  await using world = await World.start();
  const { roomId, clients: [host] } = await world.meet("host", "guest");
  const { connections } = world.actors.registry;
  for (let device = 0; device < 1200; device++) new Client(world.actors, host!.userId, "1.0.0");
  await world.settle();
  assertEquals(connections.size, 1202);
  const drained = world.actors.drain();
  // One batch at once; the others when the sockets have had their turn.
  assertEquals(connections.size, 702);
  await world.settle();
  assertEquals(connections.size, 0);
  await drained;
  assertEquals(host!.socket.names.includes("RoomUpdated"), false);
  const rows = await world.store.load("room_participants");
  assertEquals(rows.map(({ room_id }) => BigInt(room_id)), [roomId, roomId]);
});
