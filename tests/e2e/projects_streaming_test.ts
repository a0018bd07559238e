import { assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { Role, Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

const shas = (peer: TestPeer, id: number) =>
  peer.answers(id).map(({ name, value }) =>
    name === "SearchCommitsResponse"
      ? (value as MessageTypes["SearchCommitsResponse"]).shas[0]
      : name
  );

/** Requests of guests that the server waits for at the host. */
function pendingAt(scene: Scene, peer: TestPeer): number {
  const { ownerId, id } = peer.peerId;
  return [...scene.server.server.actors.registry.connections.values()]
    .find((one) => one.ownerId === ownerId && one.id === id)?.outbox.pendingCount ?? 0;
}

Deno.test("[projects 8.4] [projects 19.13] [transport 2.5.1, 2.5.3] every item of a stream is relayed in order, then its end; readers may ask", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.setRole(guest, Role.Guest);
  const one = guest.send("SearchCommits", { projectId });
  const two = guest.send("SearchCommits", { projectId });
  const first = await host.next("SearchCommits");
  const second = await host.next("SearchCommits");
  assertEquals(first.originalSenderId, guest.peerId);
  for (const sha of ["a", "b", "c"]) {
    host.reply(first, "SearchCommitsResponse", { shas: [sha] });
    host.reply(second, "SearchCommitsResponse", { shas: [`2${sha}`] });
  }
  await scene.told(guest, host);
  assertEquals(shas(guest, one), ["a", "b", "c"]);
  host.reply(first, "EndStream", {});
  host.reply(second, "SearchCommitsResponse", { shas: ["2d"] });
  host.reply(second, "EndStream", {});
  // Behind the end there is nobody any more.
  host.reply(first, "SearchCommitsResponse", { shas: ["late"] });
  await scene.told(guest, host);
  assertEquals(shas(guest, one), ["a", "b", "c", "EndStream"]);
  assertEquals(shas(guest, two), ["2a", "2b", "2c", "2d", "EndStream"]);
  assertEquals(guest.answers(one).map(({ originalSenderId }) => originalSenderId), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(pendingAt(scene, host), 0);
});

Deno.test("[projects 8.4] [transport 2.5.1] an empty stream has its end alone", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const id = guest.send("GetInitialGraphData", { projectId });
  host.reply(await host.next("GetInitialGraphData"), "EndStream", {});
  await guest.answer(id);
  assertEquals(await scene.told(guest, host), [`EndStream re ${id}`]);
});

Deno.test("[projects 8.4a] [projects 19.13] [transport 2.5.3] an Error ends the stream, without EndStream, unchanged", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const id = guest.send("SearchCommits", { projectId });
  const asked = await host.next("SearchCommits");
  host.reply(asked, "SearchCommitsResponse", { shas: ["a"] });
  host.reply(asked, "Error", { code: 12, message: "private", tags: ["k=v"] });
  host.reply(asked, "SearchCommitsResponse", { shas: ["late"] });
  host.reply(asked, "EndStream", {});
  await scene.told(guest, host);
  assertEquals(shas(guest, id), ["a", "Error"]);
  assertEquals(guest.answers(id).at(-1)?.value, { code: 12, message: "private", tags: ["k=v"] });
});

Deno.test("[projects 8.4a] [projects 14a] an item of the wrong type ends the stream with an Error", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const id = guest.send("SearchCommits", { projectId });
  const asked = await host.next("SearchCommits");
  host.reply(asked, "SearchCommitsResponse", { shas: ["a"] });
  host.reply(asked, "GetInitialGraphDataResponse", {});
  host.reply(asked, "EndStream", {});
  await scene.told(guest, host);
  assertEquals(shas(guest, id), ["a", "Error"]);
  assertEquals((guest.answers(id).at(-1)?.value as MessageTypes["Error"]).code, 0);
});

Deno.test("[projects 8.4b] [projects 19.13] [projects 15.5l] [transport 2.5.3] the loss of the host in mid-stream is an Error at once", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const id = guest.send("SearchCommits", { projectId });
  const asked = await host.next("SearchCommits");
  host.reply(asked, "SearchCommitsResponse", { shas: ["a"] });
  await scene.told(guest, host);
  await scene.lose(host);
  await scene.told(guest);
  assertEquals(shas(guest, id), ["a", "Error"]);
  assertEquals((guest.answers(id).at(-1)?.value as MessageTypes["Error"]).code, 0);
});

Deno.test("[projects 8.4b] [projects 19.13] [projects 8.1.7] [transport 2.5.3] the loss of the guest in mid-stream leaves nothing pending", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  a!.send("SearchCommits", { projectId });
  a!.send("GetHover", { projectId });
  const stream = await host.next("SearchCommits");
  const plain = await host.next("GetHover");
  host.reply(stream, "SearchCommitsResponse", { shas: ["a"] });
  await scene.told(a!, host);
  assertEquals(pendingAt(scene, host), 2);
  await scene.lose(a!);
  assertEquals(pendingAt(scene, host), 0);
  host.reply(stream, "SearchCommitsResponse", { shas: ["b"] });
  host.reply(stream, "EndStream", {});
  host.reply(plain, "GetHoverResponse", {});
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(b!), []);
});

Deno.test("[projects 8.4] [projects 1.1] a stream and other messages share one order on the guest's connection", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const id = guest.send("SearchCommits", { projectId });
  const asked = await host.next("SearchCommits");
  for (let index = 0; index < 3; index++) {
    host.reply(asked, "SearchCommitsResponse", { shas: [`${index}`] });
    host.send("BufferSaved", { projectId, bufferId: BigInt(index) });
  }
  host.reply(asked, "EndStream", {});
  assertEquals(await scene.told(guest, host), [
    ...Array(3).fill([`SearchCommitsResponse re ${id}`, "BufferSaved from host"]).flat(),
    `EndStream re ${id}`,
  ]);
});
