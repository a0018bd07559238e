/** Calls that ring. [rooms 10.2] */
import { assertEquals } from "@std/assert";
import { type Client, World } from "./world.ts";

Deno.test("[rooms 10.2.8, 4.2] a call that nobody who was asked can show stops on the devices that came later", async () => {
  await using world = await World.start();
  const { roomId, clients } = await world.meet("host", "ann");
  const [host, ann] = clients as [Client, Client];
  ann.send("LeaveRoom", {});
  await world.settle();
  const call = host.send("Call", { roomId, calledUserId: BigInt(ann.userId) });
  await world.settle();
  ann.find("IncomingCall");
  const later = await world.connect("ann");
  assertEquals(later.find("IncomingCall").value.roomId, roomId);
  ann.connection.socketClosed();
  await world.settle();
  const answer = host.take().find(({ respondingTo }) => respondingTo === call);
  assertEquals(answer?.name, "Error");
  assertEquals(later.find("CallCanceled").value.roomId, roomId);
});
