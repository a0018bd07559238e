import { assertEquals } from "@std/assert";
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { errorOf } from "../support/payload.ts";
import { FEATURES, Role, Scene } from "../support/scene.ts";
import { settle, type TestPeer } from "../support/test_peer.ts";

type Operation = Init<MessageTypes["Operation"]>;

const edit = (replicaId: number, newText = "x", lamportTimestamp = 1): Operation => ({
  edit: { replicaId, lamportTimestamp, newText: [newText] },
});
const select: Operation = { updateSelections: { replicaId: 8, lamportTimestamp: 2 } };
const bufferId = 700n;

/** Makes a host acknowledge every `UpdateBuffer` that it is asked. */
function acknowledges(host: TestPeer): void {
  host.on("UpdateBuffer", (received) => void host.reply(received, "Ack", {}));
}

function isError({ name, value }: { name: string; value: unknown }): boolean {
  return name === "Error" && (value as MessageTypes["Error"]).code === 0;
}

Deno.test("[projects 16.3] [projects 9.2a] [projects 15.5f] [projects 1.6] opening: the request with its sender, state and chunks in order, the answer", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const open = a!.send("OpenBufferByPath", { projectId, worktreeId: 100n, path: "src/a.ts" });
  const request = await host.next("OpenBufferByPath");
  assertEquals(request.originalSenderId, a!.peerId);
  const to = { projectId, peerId: a!.peerId };
  host.send("CreateBufferForPeer", { ...to, state: { id: bufferId, baseText: "text" } });
  for (let chunk = 0; chunk < 20; chunk++) {
    host.send("CreateBufferForPeer", {
      ...to,
      chunk: {
        bufferId,
        operations: chunk === 19 ? [] : Array(100).fill(edit(0, `chunk ${chunk}`)),
        isLast: chunk === 19,
      },
    });
  }
  host.reply(request, "OpenBufferResponse", { bufferId });
  assertEquals(await scene.told(a!, host), [
    ...Array(21).fill("CreateBufferForPeer from host"),
    `OpenBufferResponse re ${open}`,
  ]);
  const [state, ...chunks] = a!.all("CreateBufferForPeer");
  assertEquals(state?.state?.baseText, "text");
  assertEquals(
    chunks.map(({ chunk }) => chunk?.operations[0]?.edit?.newText[0]),
    [...Array.from({ length: 19 }, (_, index) => `chunk ${index}`), undefined],
  );
  assertEquals(chunks.map(({ chunk }) => chunk?.isLast).indexOf(true), 19);
  assertEquals(await scene.told(b!), []);
});

Deno.test("[projects 16.3] [projects 9.3.3] [projects 9.3.4] [projects 9.3.5] [projects 9.3c] [projects 15.5g] [projects 19.8] edits of guest and host reach all others, and their Acks come last", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const byGuest = a!.send("UpdateBuffer", { projectId, bufferId, operations: [edit(8)] });
  assertEquals(await scene.told(a!), []);
  assertEquals(await scene.told(b!), ["UpdateBuffer from guest1"]);
  const asked = await host.next("UpdateBuffer");
  assertEquals(scene.nameOf(asked.originalSenderId!), "guest1");
  // One who has not opened the buffer may answer what was no request.
  b!.reply(b!.received.at(-1)!, "Ack", {});
  assertEquals(await scene.told(a!, b!), []);
  host.reply(asked, "Ack", {});
  assertEquals(await scene.told(a!, host), [`Ack re ${byGuest}`]);

  const byHost = host.send("UpdateBuffer", { projectId, bufferId, operations: [edit(0)] });
  assertEquals(await scene.told(host), [`Ack re ${byHost}`]);
  assertEquals(await scene.told(a!), ["UpdateBuffer from host"]);
  assertEquals(await scene.told(b!), ["UpdateBuffer from host"]);
});

Deno.test("[projects 16.3] [projects 9.4] saving: the guest gets the broadcast and the host's answer", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const save = a!.send("SaveBuffer", { projectId, bufferId });
  const request = await host.next("SaveBuffer");
  host.send("UpdateBufferFile", { projectId, bufferId });
  host.send("BufferSaved", { projectId, bufferId, version: [{ replicaId: 8, timestamp: 1 }] });
  host.reply(request, "BufferSaved", { projectId, bufferId });
  assertEquals(await scene.told(a!, host), [
    "UpdateBufferFile from host",
    "BufferSaved from host",
    `BufferSaved re ${save}`,
  ]);
  assertEquals(await scene.told(b!), ["UpdateBufferFile from host", "BufferSaved from host"]);
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 15.5h] [projects 15.1] a guest's edits reach the host before the save behind them", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  for (let index = 0; index < 50; index++) {
    guest.send("UpdateBuffer", { projectId, bufferId, operations: [edit(8, `${index}`)] });
  }
  guest.send("SaveBuffer", { projectId, bufferId });
  assertEquals(await scene.told(host, guest), [
    ...Array(50).fill("UpdateBuffer from guest1"),
    "SaveBuffer from guest1",
  ]);
});

Deno.test("[projects 9.3.1] [projects 9.3.2] [projects 16.3] readers may send selections and nothing at all, but no other operation, not even among selections", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  acknowledges(host);
  const reading: Operation[][] = [[], [select], [select, select], [{}], [{}, select]];
  const editing: Operation[][] = [
    [edit(8)],
    [select, edit(8), select],
    [{ undo: { replicaId: 8 } }],
    [{ updateDiagnostics: {} }],
    [{ updateCompletionTriggers: {} }],
    [{ updateLineEnding: {} }],
    [{}, { updateLineEnding: {} }],
  ];
  for (const role of [Role.Guest, Role.Talker]) {
    await scene.setRole(a!, role);
    for (const operations of reading) {
      assertEquals((await a!.ask("UpdateBuffer", { projectId, bufferId, operations })).name, "Ack");
      assertEquals(await scene.told(b!), ["UpdateBuffer from guest1"]);
    }
    await scene.told(host);
    for (const operations of editing) {
      assertEquals(
        isError(await a!.ask("UpdateBuffer", { projectId, bufferId, operations })),
        true,
      );
    }
    assertEquals(await scene.told(b!), []);
    assertEquals(await scene.told(host), []);
  }
  for (const role of [Role.Member, Role.Admin]) {
    await scene.setRole(a!, role);
    for (const operations of editing) {
      assertEquals((await a!.ask("UpdateBuffer", { projectId, bufferId, operations })).name, "Ack");
    }
  }
  await scene.setRole(a!, Role.Banned);
  await scene.quiet();
  for (const operations of [...reading, ...editing]) {
    assertEquals(isError(await a!.ask("UpdateBuffer", { projectId, bufferId, operations })), true);
  }
  assertEquals(await scene.told(b!), []);
});

Deno.test("[projects 9.3.1] an operation of a kind that the server does not know needs the right to edit", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  acknowledges(host);
  const unknown = new Uint8Array([
    ...encode("UpdateBuffer", { projectId, bufferId, operations: [select] }),
    ...[0x1a, 3, 0xfa, 0x01, 0], // an operation with the field 31
  ]);
  const tag = messageInfo("UpdateBuffer").tag as number;
  assertEquals((await guest.answer(guest.sendEncoded(tag, unknown))).name, "Ack");
  assertEquals(host.received.at(-1)?.payload, unknown);
  await scene.setRole(guest, Role.Guest);
  assertEquals((await guest.answer(guest.sendEncoded(tag, unknown))).name, "Error");
});

Deno.test("[projects 9.3b] [projects 4d] a host demoted to reader may push its tree, but not edit", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId, roomId } = scene;
  // Somebody else has to be admin, for the host to be demoted by him.
  await scene.setRole(guest, Role.Admin);
  await guest.call("SetRoomParticipantRole", { roomId, userId: host.userId, role: Role.Guest });
  await scene.quiet();
  await scene.updateWorktree({});
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "a", languageServerId: 5n },
  });
  assertEquals(await scene.told(guest, host), [
    "UpdateWorktree from host",
    "UpdateDiagnosticSummary from host",
  ]);
  const operations = [edit(0)];
  assertEquals(isError(await host.ask("UpdateBuffer", { projectId, bufferId, operations })), true);
  const selecting = await host.ask("UpdateBuffer", { projectId, bufferId, operations: [select] });
  assertEquals(selecting.name, "Ack");
  host.send("UnshareProject", { projectId });
  assertEquals(await scene.told(guest, host), [
    "UpdateBuffer from host",
    "UnshareProject",
    "RoomUpdated",
  ]);
});

Deno.test("[projects 16.10] [projects 9.3.2] a guest is demoted while editing", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  acknowledges(host);
  await host.call("SetRoomParticipantRole", { roomId, userId: a!.userId, role: Role.Guest });
  // Sent before the guest has seen it.
  const late = a!.send("UpdateBuffer", { projectId, bufferId, operations: [edit(8)] });
  assertEquals(isError(await a!.answer(late)), true);
  assertEquals(await scene.told(b!), ["RoomUpdated"]);
  const selecting = await a!.ask("UpdateBuffer", { projectId, bufferId, operations: [select] });
  assertEquals(selecting.name, "Ack");
  assertEquals(await scene.told(b!), ["UpdateBuffer from guest1"]);
});

Deno.test("[projects 9.3.5] [projects 8.1.5] an Error of the host to a guest's edit comes back; the other guests have it all the same", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const sent = a!.send("UpdateBuffer", { projectId, bufferId, operations: [edit(8)] });
  host.reply(await host.next("UpdateBuffer"), "Error", { code: 9, message: "no", tags: ["a=b"] });
  const answer = errorOf(await a!.answer(sent));
  assertEquals(answer, { code: 9, message: "no", tags: ["a=b"] });
  assertEquals(await scene.told(b!), ["UpdateBuffer from guest1"]);
});

Deno.test("[projects 9.3a] [projects 3a] [projects 15.6] operations of each sender reach everybody in the order sent", async () => {
  await using scene = await Scene.open({ guests: 3, peer: { likeZed: true } });
  const { host, guests, projectId } = scene;
  acknowledges(host);
  const senders = [host, ...guests];
  for (let index = 0; index < 100; index++) {
    for (const [replica, sender] of senders.entries()) {
      sender.send("UpdateBuffer", {
        projectId,
        bufferId,
        operations: [edit(replica, `${index}`, index)],
      });
    }
  }
  await settle(...senders, ...senders);
  for (const receiver of senders) {
    for (const [replica, sender] of senders.entries()) {
      const texts = receiver.received
        .filter(({ name, originalSenderId }) =>
          name === "UpdateBuffer" && originalSenderId?.id === sender.peerId.id
        )
        .map(({ value }) => (value as MessageTypes["UpdateBuffer"]).operations[0]?.edit)
        .map((one) => [one?.replicaId, one?.newText[0]]);
      const all = Array.from({ length: 100 }, (_, index) => [replica, `${index}`]);
      assertEquals(texts, receiver === sender ? [] : all);
    }
  }
});

Deno.test("[projects 9.2] [projects 8.8] [projects 19.10] CreateBufferForPeer goes from the host to one collaborator; all else is dropped", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  const stranger = await scene.connect("stranger");
  await scene.quiet();
  const { ownerId, id } = b!.peerId;
  for (const name of ["CreateBufferForPeer", "CreateImageForPeer"] as const) {
    a!.send(name, { projectId, peerId: b!.peerId });
    a!.send(name, { projectId, peerId: host.peerId });
    const nobody = [
      undefined,
      onlooker.peerId,
      stranger.peerId,
      { ownerId: ownerId + 1, id },
      { ownerId: 0, id },
      { ownerId, id: id + 100 },
      { ownerId: 2 ** 32 - 1, id: 2 ** 32 - 1 },
    ];
    for (const peerId of nobody) host.send(name, { projectId, ...(peerId && { peerId }) });
    host.send(name, { projectId: 99n, peerId: b!.peerId });
  }
  await settle(a!, host);
  for (const peer of [host, a!, b!, onlooker, stranger]) {
    assertEquals(await scene.told(peer), []);
  }
  host.send("CreateBufferForPeer", { projectId, peerId: b!.peerId, state: { id: bufferId } });
  assertEquals(await scene.told(b!, host), ["CreateBufferForPeer from host"]);
});

Deno.test("[projects 9.2b] CreateImageForPeer goes from the host to one collaborator", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  host.send("CreateImageForPeer", { projectId, peerId: b!.peerId });
  assertEquals(await scene.told(b!, host), ["CreateImageForPeer from host"]);
  assertEquals(await scene.told(a!), []);
});

const FAMILY: readonly (readonly [string, readonly MessageName[]])[] = [
  ["[projects 10a]", ["UpdateBufferFile", "BufferReloaded", "BufferSaved", "UpdateDiffBases"]],
  ["[projects 10b]", ["RefreshInlayHints", "RefreshCodeLens", "BreakpointsForFile"]],
  ["[projects 10c]", ["AdvertiseContexts"]],
  ["[projects 10d]", ["RefreshSemanticTokens", "PullWorkspaceDiagnostics", "LanguageServerLog"]],
];

for (const [tag, names] of FAMILY) {
  Deno.test(`${tag} [projects 10] [projects 10e] [projects 17.3] ${names.join(", ")} go from the host to all others, and from nobody else`, async () => {
    await using scene = await Scene.open({ guests: 2 });
    const { host, guests: [a, b], projectId } = scene;
    const onlooker = await scene.enter("onlooker");
    for (const name of names) {
      const tag = messageInfo(name).tag as number;
      const payload = new Uint8Array([
        ...encode("BufferReloaded", { projectId }),
        ...[0xfa, 0x7f, 1, 9], // unknown to everybody
      ]);
      host.sendEncoded(tag, payload);
      for (const guest of [a!, b!]) {
        assertEquals(await scene.told(guest, host), [`${name} from host`]);
        assertEquals(guest.received.at(-1)?.payload, payload);
      }
      for (const forger of [a!, onlooker]) {
        forger.sendEncoded(tag, payload);
        assertEquals(await scene.told(forger), []);
      }
      assertEquals(await scene.told(b!), []);
      assertEquals(await scene.told(host), []);
    }
  });
}

Deno.test("[projects 10d] [projects 18a] logs of language servers are kept from clients that cannot read them", async () => {
  await using scene = await Scene.open({ guests: 0, share: { features: [] } });
  const { host, projectId } = scene;
  const heard: string[] = [];
  for (const version of ["0.192.0", "0.204.0", "0.204.1", "1.0.0"]) {
    const guest = await scene.enter(`with-${version}`, { version });
    await guest.call("JoinProject", { projectId });
    await scene.quiet();
    host.send("LanguageServerLog", { projectId, message: "said", log: { level: 1 } });
    for (const line of await scene.told(guest, host)) heard.push(`${version}: ${line}`);
  }
  assertEquals(heard, [
    "0.204.1: LanguageServerLog from host",
    "1.0.0: LanguageServerLog from host",
  ]);
});

Deno.test("[projects 10f] UpdateFollowers with a project reaches all its other collaborators", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  const onlooker = await scene.enter("onlooker");
  await scene.quiet();
  a!.send("UpdateFollowers", { roomId, projectId, updateActiveView: {} });
  assertEquals(await scene.told(a!), []);
  assertEquals(await scene.told(b!), ["UpdateFollowers from guest1"]);
  assertEquals(await scene.told(host), ["UpdateFollowers from guest1"]);
  assertEquals(await scene.told(onlooker), []);
});

Deno.test("[projects 11a] [projects 8.2f] UpdateContext reaches all others, with the right that its operation needs", async () => {
  await using scene = await Scene.open({ guests: 2, peer: { version: "0.191.0" } });
  const { host, guests: [a, b], projectId } = scene;
  const reading: Init<MessageTypes["ContextOperation"]>[] = [
    {},
    { bufferOperation: { operation: {} } },
    { bufferOperation: { operation: select } },
  ];
  const editing: Init<MessageTypes["ContextOperation"]>[] = [
    { bufferOperation: {} },
    { bufferOperation: { operation: edit(8) } },
    { insertMessage: {} },
    { updateSummary: {} },
  ];
  const send = (operation: Init<MessageTypes["ContextOperation"]> | undefined) =>
    a!.send("UpdateContext", { projectId, contextId: "c", ...(operation && { operation }) });
  for (const operation of [...reading, ...editing]) {
    send(operation);
    assertEquals(await scene.told(a!), []);
    assertEquals(await scene.told(b!), ["UpdateContext from guest1"]);
    assertEquals(await scene.told(host), ["UpdateContext from guest1"]);
  }
  send(undefined);
  await scene.setRole(a!, Role.Guest);
  for (const operation of reading) {
    send(operation);
    assertEquals(await scene.told(b!, a!), ["UpdateContext from guest1"]);
  }
  for (const operation of editing) send(operation);
  assertEquals(await scene.told(a!), []);
  assertEquals(await scene.told(b!), []);
  host.send("UpdateContext", { projectId, operation: { insertMessage: {} } });
  assertEquals(await scene.told(a!, host), ["UpdateContext from host"]);
});

Deno.test("[projects 11b] [projects 2j] breakpoints and buffers are not kept: the host sends them to each new collaborator", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { host, projectId } = scene;
  host.send("BreakpointsForFile", { projectId, path: "a" });
  host.send("UpdateBuffer", { projectId, bufferId, operations: [edit(0)] });
  host.send("UpdateDiffBases", { projectId, bufferId });
  await scene.quiet();
  const late = await scene.enter("late");
  host.on("AddProjectCollaborator", () => {
    host.send("BreakpointsForFile", { projectId, path: "a" });
  });
  const join = late.send("JoinProject", { projectId, features: FEATURES });
  await late.answer(join);
  assertEquals(await scene.told(late, host), [
    `JoinProjectResponse re ${join}`,
    "UpdateWorktree",
    "BreakpointsForFile from host",
  ]);
});
