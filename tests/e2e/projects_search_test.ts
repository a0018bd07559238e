import { assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { Role, Scene } from "../support/scene.ts";
import type { Received } from "../support/test_peer.ts";

function errorCode({ name, value }: Received): number | undefined {
  return name === "Error" ? (value as MessageTypes["Error"]).code : undefined;
}

Deno.test("[projects 9.6] a search of 2025 is one request with one answer", async () => {
  await using scene = await Scene.open({ peer: { version: "0.191.0" } });
  const { host, guest, projectId } = scene;
  await scene.setRole(guest, Role.Guest);
  const id = guest.send("FindSearchCandidates", { projectId, limit: 10n });
  const asked = await host.next("FindSearchCandidates");
  host.send("CreateBufferForPeer", { projectId, peerId: guest.peerId, state: { id: 7n } });
  host.reply(asked, "FindSearchCandidatesResponse", { bufferIds: [7n, 2n ** 64n - 1n] });
  assertEquals(await scene.told(guest, host), [
    "CreateBufferForPeer from host",
    `FindSearchCandidatesResponse re ${id}`,
  ]);
  assertEquals(guest.answers(id)[0]?.value, { bufferIds: [7n, 2n ** 64n - 1n] });
});

Deno.test("[projects 9.6a] chunks of a search go from the host to the guest that asked, whose Acks come back one by one", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const search = a!.send("FindSearchCandidates", { projectId, handle: 5n });
  const asked = await host.next("FindSearchCandidates");
  assertEquals(asked.value.handle, 5n);
  host.reply(asked, "Ack", {});
  assertEquals((await a!.answer(search)).name, "Ack");
  for (const more of [{ matches: { bufferIds: [1n] } }, { matches: {} }, { done: {} }]) {
    const chunk = host.send("FindSearchCandidatesChunk", {
      projectId,
      peerId: a!.peerId,
      handle: 5n,
      ...more,
    });
    const received = await a!.next("FindSearchCandidatesChunk");
    assertEquals(scene.nameOf(received.originalSenderId!), "host");
    assertEquals(received.value.handle, 5n);
    assertEquals(await scene.told(host), []);
    a!.reply(received, "Ack", {});
    assertEquals((await host.answer(chunk)).name, "Ack");
    host.skip();
  }
  assertEquals(await scene.told(b!), []);
});

Deno.test("[projects 9.6a] an Error of the guest comes back to the host; a guest who goes is one too", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const to = { projectId, peerId: guest.peerId, handle: 5n };
  const chunk = host.send("FindSearchCandidatesChunk", to);
  guest.reply(await guest.next("FindSearchCandidatesChunk"), "Error", { code: 7, message: "no" });
  assertEquals(errorCode(await host.answer(chunk)), 7);
  const open = host.send("FindSearchCandidatesChunk", to);
  await guest.next("FindSearchCandidatesChunk");
  await scene.lose(guest);
  assertEquals(errorCode(await host.answer(open)), 0);
  assertEquals(errorCode(await host.ask("FindSearchCandidatesChunk", to)), 0);
});

Deno.test("[projects 9.6b] [projects 17.3] [projects 8.8] a chunk needs the host as sender and a collaborator as target", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  await scene.quiet();
  const { ownerId, id } = b!.peerId;
  const targets = [
    undefined,
    onlooker.peerId,
    { ownerId: ownerId + 1, id },
    { ownerId, id: id + 50 },
  ];
  for (const peerId of targets) {
    const answer = await host.ask("FindSearchCandidatesChunk", {
      projectId,
      handle: 5n,
      ...(peerId && { peerId }),
    });
    assertEquals(errorCode(answer), 0);
  }
  for (const forger of [a!, onlooker]) {
    const answer = await forger.ask("FindSearchCandidatesChunk", {
      projectId,
      peerId: b!.peerId,
      handle: 5n,
    });
    assertEquals(errorCode(answer), 0);
  }
  assertEquals(await scene.told(b!), []);
  assertEquals(await scene.told(onlooker), [`Error re ${onlooker.received.at(-1)?.respondingTo}`]);
});

Deno.test("[projects 9.6c] a cancelled search is passed on to the host, for readers too, and not answered", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.setRole(guest, Role.Guest);
  guest.send("FindSearchCandidatesCancelled", { projectId, handle: 5n });
  assertEquals(await scene.told(guest), []);
  assertEquals(await scene.told(host), ["FindSearchCandidatesCancelled from guest1"]);
  assertEquals(host.all("FindSearchCandidatesCancelled"), [{ projectId, handle: 5n }]);
});
