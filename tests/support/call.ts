import type { TestPeer } from "./test_peer.ts";

/** Makes two users contacts of each other, so that one may call the other. */
export async function befriend(a: TestPeer, b: TestPeer): Promise<void> {
  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
}

/**
 * Brings everybody into a room of the first one, in the order given; they end with nothing fresh.
 *
 * @returns the room's id
 */
export async function callTogether(
  caller: TestPeer,
  ...callees: readonly TestPeer[]
): Promise<bigint> {
  const { room } = await caller.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  for (const callee of callees) {
    await befriend(caller, callee);
    await bringIn(roomId, caller, callee);
  }
  for (const peer of [caller, ...callees]) {
    await peer.settle();
    peer.skip();
  }
  return roomId;
}

/** Calls a contact into the caller's room, who takes the call. */
export async function bringIn(roomId: bigint, caller: TestPeer, callee: TestPeer): Promise<void> {
  const rung = caller.call("Call", { roomId, calledUserId: callee.userId });
  callee.reply(await callee.next("IncomingCall"), "Ack", {});
  await rung;
  await callee.call("JoinRoom", { id: roomId });
}
