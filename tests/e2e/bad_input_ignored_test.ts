/** Bad input that is ignored or answered: the connection stays, and nobody else notices. */
import { assert, assertEquals } from "@std/assert";
import { envelopeMessages, messageInfo, type MessageName } from "../../proto/mod.ts";
import { ErrorCode } from "../../rpc/errors.ts";
import { message } from "../../rpc/frame.ts";
import { routes } from "../../rpc/routes.ts";
import { Bystanders } from "../support/bystanders.ts";
import { Opcode } from "../support/raw_client.ts";
import { waitUntil } from "../support/wait_until.ts";

Deno.test("[transport 1.6.7] [rooms 2.1] [design 6c] bad input, ignored: a text frame", async () => {
  await using scene = await Bystanders.open();
  using client = await scene.raw("d");
  const ignored = () => scene.server.server.metrics.ignoredMessages.value("text_frame");
  await client.frame(Opcode.TEXT, new TextEncoder().encode("hello"));
  await client.frame(Opcode.TEXT, new Uint8Array(100_000).fill(0x61));
  await waitUntil(() => ignored() === 2, { describe: "two text frames to be counted" });
  await client.frame(Opcode.PING, new Uint8Array([1, 2]));
  for (let frame = await client.readFrame(); frame?.opcode !== Opcode.PONG;) {
    assert(frame !== undefined, "the connection has ended");
    frame = await client.readFrame();
  }
  await scene.assertUndisturbed();
});

Deno.test("[transport 2.3.7, 1.6.5] [rooms 2.5] [design 6c] bad input, ignored: no payload, or one that nobody knows", async () => {
  await using scene = await Bystanders.open();
  const { sender, server } = scene;
  const { ignoredMessages } = server.server.metrics;
  sender.sendBytes(message(500, -1, -1, 0, new Uint8Array(0)));
  sender.sendEncoded(9_999, new Uint8Array(0));
  sender.sendEncoded(536_870_911, new Uint8Array([1, 2, 3]));
  // Fields that no schema has, beside a payload and inside it, are no harm.
  sender.sendEncoded(messageInfo("Ping").tag as number, new Uint8Array([0xfa, 0x7f, 1, 7]));
  assertEquals((await sender.ask("Ping", {})).name, "Ack");
  assertEquals([ignoredMessages.value("no_payload"), ignoredMessages.value("unknown_tag")], [1, 2]);
  await scene.assertUndisturbed();
});

Deno.test("[transport 2.3.4, 2.7.6, T11] [rooms 2.6] [design 6c] bad input, ignored: answers to nothing", async () => {
  await using scene = await Bystanders.open();
  const { sender, server } = scene;
  const before = sender.received.length;
  for (const id of [0, 1, 77, 4_294_967_295]) {
    sender.reply({ id }, "Error", { code: 0, message: "message RoomUpdated was not handled" });
    sender.reply({ id }, "Ack", {});
  }
  // Without a payload, and with one that nobody knows.
  sender.sendBytes(message(500, 3, -1, 0, new Uint8Array(0)));
  sender.sendEncoded(9_999, new Uint8Array(0), 3);
  assertEquals((await sender.ask("Ping", {})).name, "Ack");
  assertEquals(server.server.metrics.ignoredMessages.value("unexpected_response"), 10);
  assertEquals(sender.received.length, before + 1);
  await scene.assertUndisturbed();
});

/** A request by the schema that is never answered. [rooms 6.6] */
const NEVER_ANSWERED: MessageName = "DeclineCall";

/** Requests by the schema that are sent and treated as plain messages. [projects 1.4] [projects 10] */
const PLAIN: ReadonlySet<MessageName> = new Set([
  "LspQueryResponse",
  "RefreshInlayHints",
  "RefreshCodeLens",
  "RefreshSemanticTokens",
  "PullWorkspaceDiagnostics",
]);

/** Requests whose answer the schema does not name. [projects 8.2] */
const UNNAMED: ReadonlySet<MessageName> = new Set([
  "ResolveCompletionDocumentation",
  "ApplyCompletionAdditionalEdits",
  "GitCreateArchiveCheckpoint",
]);

function isRequest(name: MessageName): boolean {
  return (messageInfo(name).response !== undefined || UNNAMED.has(name)) && !PLAIN.has(name) &&
    name !== NEVER_ANSWERED;
}

for (const year of ["2025", "2026"] as const) {
  Deno.test(`[rooms 0a, 5.7, 6.5] [transport 2.4.2, 2.6.3] [design 6c] bad input, answered: every message with all fields empty, a client of ${year}`, async () => {
    await using scene = await Bystanders.open();
    const version = year === "2025" ? "0.191.0" : "1.10.0";
    const sender = await scene.server.raw("d", { version, likeZed: true });
    await scene.stage.silence();
    const ids: { readonly id: number; readonly name: MessageName; readonly asked: boolean }[] = [];
    for (const { name, tag } of envelopeMessages()) {
      const id = sender.sendEncoded(tag as number, new Uint8Array(0));
      ids.push({ id, name, asked: isRequest(name) });
    }
    for (const { id, asked } of ids) if (asked) await sender.answer(id);
    await sender.settle();
    const wrong = ids.filter(({ id, asked }) => sender.answers(id).length !== (asked ? 1 : 0));
    assertEquals(wrong.map(({ name }) => name), []);
    for (const { code, message, tags } of sender.all("Error")) {
      assert(/^\S.{5,}$/.test(message), `"${message}" is no line of text`);
      assert((Object.values(ErrorCode) as number[]).includes(code), `${code}: ${message}`);
      assertEquals(tags, []);
    }
    assertEquals(sender.end, undefined);
    await scene.assertUndisturbed();
  });
}

Deno.test("[design 6c] bad input, answered: every message empty but for the project or room that it is about", async () => {
  await using scene = await Bystanders.open();
  assertEquals([scene.roomId, scene.projectId], [1n, 1n]);
  // Somebody who is signed in, but in neither of them.
  const sender = await scene.server.raw("d");
  await scene.stage.silence();
  const asked: number[] = [];
  for (const { message: name, tag, to } of routes) {
    if (to !== "room" && to !== "project") continue;
    const id = sender.sendEncoded(tag, new Uint8Array([0x08, 1]));
    if (isRequest(name)) asked.push(id);
  }
  assert(asked.length > 100);
  for (const id of asked) await sender.answer(id);
  assertEquals(sender.end, undefined);
  await scene.assertUndisturbed();
});

Deno.test("[rooms 5.7] [transport 2.6.3] [design 6c] bad input, answered: a known request that nobody handles", async () => {
  await using scene = await Bystanders.open();
  const { sender } = scene;
  for (const name of ["RejoinRemoteProjects", "GetPanicFiles", "IncomingCall"] as const) {
    const { tag, response } = messageInfo(name);
    assert(response !== undefined);
    const answer = await sender.answer(sender.sendEncoded(tag as number, new Uint8Array(0)));
    assertEquals(answer.name, "Error");
  }
  await scene.assertUndisturbed();
});

Deno.test("[projects 7.2] [design 6c] bad input, answered: a worktree update of 257 entries", async () => {
  await using scene = await Bystanders.open();
  const { sender, stage, guest } = scene;
  // The one who misbehaves hosts a project of his own, that nobody else is in.
  const { projectId } = await sender.call("ShareProject", {
    roomId: scene.roomId,
    worktrees: [{ id: 9n, rootName: "mine", visible: true }],
  });
  await stage.silence();
  const entry = (index: number) => ({
    id: BigInt(index + 1),
    path: `file-${index}`,
    inode: BigInt(index + 1),
    mtime: { seconds: 1n, nanos: 0 },
  });
  const update = (count: number) => ({
    projectId,
    worktreeId: 9n,
    rootName: "mine",
    updatedEntries: Array.from({ length: count }, (_, index) => entry(index)),
    scanId: 1n,
    isLastUpdate: true,
  });
  assertEquals((await sender.ask("UpdateWorktree", update(257))).name, "Error");
  assertEquals((await sender.ask("UpdateWorktree", update(256))).name, "Ack");
  assertEquals(guest.fresh(), []);
  await scene.assertUndisturbed();
});

Deno.test("[projects 4] [design 6c] bad input, answered: what is done to a project that is not one's own", async () => {
  await using scene = await Bystanders.open();
  const { projectId, roomId } = scene;
  const stranger = await scene.server.raw("d");
  await scene.stage.silence();
  const asked = [
    await stranger.ask("JoinProject", { projectId }),
    await stranger.ask("UpdateProject", { projectId, worktrees: [] }),
    await stranger.ask("UpdateWorktree", { projectId, worktreeId: 1n, rootName: "x", scanId: 9n }),
    await stranger.ask("UpdateBuffer", { projectId, bufferId: 1n, operations: [] }),
    await stranger.ask("OpenBufferById", { projectId, id: 1n }),
    await stranger.ask("SaveBuffer", { projectId, bufferId: 1n }),
    await stranger.ask("ShareProject", { roomId, worktrees: [] }),
    await scene.sender.ask("UpdateProject", { projectId, worktrees: [] }),
    await scene.sender.ask("UpdateWorktree", { projectId, worktreeId: 1n, rootName: "x" }),
  ];
  assertEquals(asked.map(({ name }) => name), asked.map(() => "Error"));
  stranger.send("UnshareProject", { projectId });
  stranger.send("LeaveProject", { projectId });
  stranger.send("UpdateDiagnosticSummary", { projectId, worktreeId: 1n });
  scene.sender.send("UnshareProject", { projectId });
  await scene.assertUndisturbed();
});
