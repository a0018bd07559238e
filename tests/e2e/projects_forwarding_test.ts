import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode, type MessageName, type MessageTypes } from "../../proto/mod.ts";
import { type ForwardedRow, forwardedRows } from "../support/forwarded_rows.ts";
import { errorOf, payloadFor, tagOf, UNKNOWN } from "../support/payload.ts";
import { Role, Scene } from "../support/scene.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";

/** Sends one request of the table, and lets the host answer each way that it may. */
async function forwards(scene: Scene, guest: TestPeer, row: ForwardedRow): Promise<void> {
  const { host, projectId } = scene;
  for (const answer of row.answers) {
    const payload = payloadFor(projectId);
    const id = guest.sendEncoded(tagOf(row.request), payload);
    const forwarded = await host.next(row.request);
    assertEquals(forwarded.payload, payload, row.request);
    assertEquals(forwarded.originalSenderId, guest.peerId);
    const reply = new Uint8Array(UNKNOWN);
    host.sendEncoded(tagOf(answer), reply, forwarded.id);
    const received = await guest.answer(id);
    assertEquals([received.name, received.payload], [answer, reply], row.request);
    assertEquals(received.originalSenderId, undefined);
  }
}

async function refuses(guest: TestPeer, name: MessageName, projectId: bigint): Promise<void> {
  const id = guest.sendEncoded(tagOf(name), payloadFor(projectId));
  assertEquals(errorOf(await guest.answer(id)).code, 0, name);
}

/** Sections of the table, with all that their tests show. */
const SECTIONS = {
  "8.2a": "[projects 8.2a] [projects 8.1.2] [projects 8.1.4] [projects 1.6] buffers and files",
  "8.2b": "[projects 8.2b] [projects 8.1.1] the project's tree",
  "8.2c": "[projects 8.2c] language servers",
  "8.2d": "[projects 8.2d] git",
  "8.2e": "[projects 8.2e] breakpoints",
  "8.2f": "[projects 8.2f] contexts of 2025",
};

for (const [rule, name] of Object.entries(SECTIONS)) {
  Deno.test(`${name} [projects 8.2] [projects 8.1.1] [projects 19.11] [transport 10.4.1, T12] each request is forwarded untouched, as its right allows`, async () => {
    await using scene = await Scene.open();
    const { host, guest, projectId } = scene;
    const table = forwardedRows.filter((row) => row.rule === rule);
    for (const role of [Role.Member, Role.Admin]) {
      await scene.setRole(guest, role);
      for (const row of table) await forwards(scene, guest, row);
    }
    for (const role of [Role.Guest, Role.Talker]) {
      await scene.setRole(guest, role);
      for (const row of table) {
        if (row.right === "read") await forwards(scene, guest, row);
        else await refuses(guest, row.request, projectId);
      }
    }
    await scene.setRole(guest, Role.Banned);
    for (const row of table) await refuses(guest, row.request, projectId);
    assertEquals(await scene.told(host), []);
  });
}

Deno.test("[projects 8.2g] [projects 17.11] readers may not reset or check out files", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.setRole(guest, Role.Guest);
  for (const name of ["GitReset", "GitCheckoutFiles"] as const) {
    await refuses(guest, name, projectId);
  }
  assertEquals(await scene.told(host), []);
  await scene.setRole(guest, Role.Member);
  for (const name of ["GitReset", "GitCheckoutFiles"] as const) {
    await forwards(scene, guest, { rule: "", request: name, right: "edit", answers: ["Ack"] });
  }
});

Deno.test("[projects 8.2] the table names every request that has to be forwarded", () => {
  assertEquals(forwardedRows.length, 93);
  assertEquals(new Set(forwardedRows.map(({ request }) => request)).size, 93);
});

Deno.test("[projects 8.7c] GetDeclaration of 2025 is forwarded, and reading is enough", async () => {
  await using scene = await Scene.open();
  await scene.setRole(scene.guest, Role.Guest);
  await forwards(scene, scene.guest, {
    rule: "",
    request: "GetDeclaration",
    right: "read",
    answers: ["GetDeclarationResponse"],
  });
});

Deno.test("[projects 8.1.4] [projects 14a] an answer of the wrong type becomes an Error, once", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  for (const row of forwardedRows) {
    const id = guest.sendEncoded(tagOf(row.request), payloadFor(projectId));
    const forwarded = await host.next(row.request);
    host.reply(forwarded, "GetUsers", {});
    const error = errorOf(await guest.answer(id));
    assertEquals(error.code, 0);
    assertMatch(error.message, new RegExp(row.request));
    // What comes behind it is an answer to nothing.
    host.reply(forwarded, row.answers[0] as MessageName, {});
    await scene.quiet();
    assertEquals(guest.answers(id).length, 1);
  }
});

Deno.test("[projects 8.1.5] [projects 19.12] [projects 14] [transport 2.4.4] an Error of the host arrives unchanged, with unknown codes, line breaks and tags of any shape", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const errors = [
    { code: 12, message: "this file is private", tags: ["path=a b", "x=y=z"] },
    { code: 19, message: "hook said:\n  no\n", tags: [] },
    { code: 4711, message: "of a year to come", tags: ["no equals sign", ""] },
    { code: 0, message: "", tags: [] },
  ];
  for (const error of errors) {
    for (const request of ["OpenBufferByPath", "Commit", "LspQuery"] as const) {
      const id = guest.sendEncoded(tagOf(request), payloadFor(projectId));
      const forwarded = await host.next(request);
      const encoded = new Uint8Array([...encode("Error", error), ...UNKNOWN]);
      host.sendEncoded(tagOf("Error"), encoded, forwarded.id);
      const answer = await guest.answer(id);
      assertEquals([answer.name, answer.payload], ["Error", encoded]);
    }
  }
});

Deno.test("[projects 8.5] [projects 17.7] ToggleLspLogs is acknowledged at once and passed on as a message", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const toggle = guest.send("ToggleLspLogs", { projectId, serverId: 5n, enabled: true });
  assertEquals(await scene.told(guest), [`Ack re ${toggle}`]);
  assertEquals(await scene.told(host), ["ToggleLspLogs from guest1"]);
  host.reply(host.received.at(-1)!, "Ack", {});
  assertEquals(await scene.told(guest, host), []);
  await scene.setRole(guest, Role.Guest);
  await refuses(guest, "ToggleLspLogs", projectId);
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 8.1.2] [projects 1.1] the host's envelope id, not the guest's, is what the host answers", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const first = a!.send("GetHover", { projectId });
  const second = b!.send("GetHover", { projectId });
  const one = await host.next("GetHover");
  const two = await host.next("GetHover");
  assert(two.id > one.id);
  host.reply(two, "GetHoverResponse", { contents: [{ text: "for b" }] });
  host.reply(one, "GetHoverResponse", { contents: [{ text: "for a" }] });
  const text = ({ value }: Received) =>
    (value as MessageTypes["GetHoverResponse"]).contents[0]?.text;
  const senders = [scene.nameOf(one.originalSenderId!), scene.nameOf(two.originalSenderId!)];
  assertEquals(senders.toSorted(), ["guest1", "guest2"]);
  assertEquals(text(await a!.answer(first)), senders[0] === "guest1" ? "for a" : "for b");
  assertEquals(text(await b!.answer(second)), senders[0] === "guest1" ? "for b" : "for a");
});

Deno.test("[projects 8.1.3] [projects 1.9a] [projects 15.1] a request has no time limit, and waiting holds nothing up", async () => {
  await using scene = await Scene.open();
  const { clock, host, guest, projectId } = scene;
  const slow = guest.send("Commit", { projectId });
  const forwarded = await host.next("Commit");
  clock.advance(60 * 60_000);
  const fast = guest.send("GetHover", { projectId });
  host.reply(await host.next("GetHover"), "GetHoverResponse", {});
  assertEquals((await guest.answer(fast)).name, "GetHoverResponse");
  assertEquals(guest.answers(slow), []);
  host.reply(forwarded, "Ack", {});
  assertEquals((await guest.answer(slow)).name, "Ack");
});

Deno.test("[projects 4c] [projects 16.10] a role counts from the next message on, and only RoomUpdated tells of it", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId, roomId } = scene;
  const change = host.send("SetRoomParticipantRole", {
    roomId,
    userId: guest.userId,
    role: Role.Guest,
  });
  assertEquals(await scene.told(host), ["RoomUpdated", `Ack re ${change}`]);
  assertEquals(await scene.told(guest), ["RoomUpdated"]);
  await refuses(guest, "SaveBuffer", projectId);
  await scene.setRole(guest, Role.Member);
  await forwards(scene, guest, {
    rule: "",
    request: "SaveBuffer",
    right: "edit",
    answers: ["BufferSaved"],
  });
});
