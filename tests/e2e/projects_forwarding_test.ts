import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode, messageInfo, type MessageName, type MessageTypes } from "../../proto/mod.ts";
import { type ForwardedRow, forwardedRows } from "../support/forwarded_rows.ts";
import { Role, Scene } from "../support/scene.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";

const tagOf = (name: MessageName) => messageInfo(name).tag as number;

/** A field that no schema has: whoever passes the payload on must keep it. */
const UNKNOWN = [0xfa, 0x7f, 3, 7, 8, 9];

/** A request about a project, with something in it that the server does not know. */
function payloadFor(name: MessageName, projectId: bigint): Uint8Array {
  // Every message of a project names it in its first field.
  const head = encode("GetHover", { projectId });
  assertEquals(messageInfo(name).tag !== undefined, true);
  return new Uint8Array([...head, ...UNKNOWN]);
}

function errorOf(answer: Received): MessageTypes["Error"] {
  assertEquals(answer.name, "Error");
  return answer.value as MessageTypes["Error"];
}

/** Sends one request of the table, and lets the host answer each way that it may. */
async function forwards(scene: Scene, guest: TestPeer, row: ForwardedRow): Promise<void> {
  const { host, projectId } = scene;
  for (const answer of row.answers) {
    const payload = payloadFor(row.request, projectId);
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
  const id = guest.sendEncoded(tagOf(name), payloadFor(name, projectId));
  assertEquals(errorOf(await guest.answer(id)).code, 0, name);
}

const rules = [...new Set(forwardedRows.map(({ rule }) => rule))];

for (const rule of rules) {
  const tags = rule === "8.2a" ? "[projects 8.1.2] [projects 8.1.4] [projects 1.6] " : "";
  Deno.test(`[projects ${rule}] [projects 8.2] [projects 8.1.1] ${tags}[projects 19.11] each request of the table is forwarded untouched, as its right allows`, async () => {
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
    const id = guest.sendEncoded(tagOf(row.request), payloadFor(row.request, projectId));
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

Deno.test("[projects 8.1.5] [projects 19.12] [projects 14] an Error of the host arrives unchanged, with unknown codes, line breaks and tags of any shape", async () => {
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
      const id = guest.sendEncoded(tagOf(request), payloadFor(request, projectId));
      const forwarded = await host.next(request);
      const encoded = new Uint8Array([...encode("Error", error), ...UNKNOWN]);
      host.sendEncoded(tagOf("Error"), encoded, forwarded.id);
      const answer = await guest.answer(id);
      assertEquals([answer.name, answer.payload], ["Error", encoded]);
    }
  }
});

Deno.test("[projects 4b] [projects 4.2] [projects 4.3] [projects 9.3.2] a request for a project that the sender has not joined is refused", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  const stranger = await scene.connect("stranger");
  await scene.quiet();
  for (const who of [onlooker, stranger]) {
    const names = [
      ...forwardedRows.map(({ request }) => request),
      "UpdateBuffer",
      "LspQuery",
      "GetInitialGraphData",
      "SearchCommits",
      "ToggleLspLogs",
      "UpdateProject",
      "UpdateWorktree",
      "UpdateRepository",
      "FindSearchCandidatesChunk",
    ] as const;
    for (const name of names) await refuses(who, name, projectId);
    for (const name of ["UpdateLanguageServer", "BufferSaved", "UnshareProject"] as const) {
      who.sendEncoded(tagOf(name), payloadFor(name, projectId));
    }
    who.send("FindSearchCandidatesCancelled", { projectId });
    who.send("UpdateContext", { projectId, operation: {} });
    who.send("CreateBufferForPeer", { projectId, peerId: guest.peerId });
    // One answer to each request, none to the messages.
    assertEquals((await scene.told(who)).length, names.length);
  }
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(guest), []);
});

Deno.test("[projects 4.1] a request for an unknown project is an Error, whatever it is", async () => {
  await using scene = await Scene.open();
  const { guest } = scene;
  for (const projectId of [0n, 999n, 2n ** 64n - 1n]) {
    for (const { request } of forwardedRows) await refuses(guest, request, projectId);
    await refuses(guest, "UpdateBuffer", projectId);
    await refuses(guest, "LspQuery", projectId);
  }
});

const DENIED = [
  "GitRemoveWorktree",
  "GitRenameWorktree",
  "GitCreateArchiveCheckpoint",
  "GitRestoreArchiveCheckpoint",
] as const;

Deno.test("[projects 8.3] [projects 19.11] [projects 14a] four git requests are Forbidden for everybody, whatever project they name", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const stranger = await scene.connect("stranger");
  for (const role of [Role.Admin, Role.Member, Role.Guest]) {
    await scene.setRole(guest, role);
    for (const who of [guest, stranger, host]) {
      for (const id of [projectId, 0n, 999n]) {
        for (const name of DENIED) {
          const sent = who.sendEncoded(tagOf(name), payloadFor(name, id));
          assertEquals(errorOf(await who.answer(sent)).code, 5);
        }
      }
    }
  }
  assert(host.received.every(({ name }) => !(DENIED as readonly string[]).includes(name)));
});

/** Requests of the reference that nobody handles, in both years. */
const UNROUTED: readonly MessageName[] = [
  "Push",
  "Pull",
  "Fetch",
  "AskPassRequest",
  "GetPermalinkToLine",
  "CancelLanguageServerWork",
  "TaskContextForLocation",
  "ListToolchains",
  "ActivateToolchain",
  "ActiveToolchain",
  "GetDebugAdapterBinary",
  "RunDebugLocators",
  "GetPathMetadata",
  "AddWorktree",
  "OpenServerSettings",
  "LanguageServerPromptRequest",
  "GetSignatureHelp",
  "GetImplementation",
  "RejoinRemoteProjects",
  "GitRenameBranch",
  "GitDeleteBranch",
  "StashApply",
  "GitClone",
  "GitCreateCheckpoint",
  "GitRestoreCheckpoint",
  "GitCompareCheckpoints",
  "GitDiffCheckpoints",
  "ResolveToolchain",
  "GetDirectoryEnvironment",
  "GetProcesses",
  "GetAgentServerCommand",
  "GetContextServerCommand",
  "TrustWorktrees",
  "RestrictWorktrees",
  "AllocateWorktreeId",
  "SpawnKernel",
  "KillKernel",
  "GetRemoteProfilingData",
  "SemanticTokens",
  "GetDocumentColor",
  "GetFoldingRanges",
  "GetDocumentLinks",
  "GetDocumentDiagnostics",
];

Deno.test("[projects 8.7] [projects 11c] [projects 11e] [projects 17.7] a request without a route is an Error that names it, and is not forwarded", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  for (const name of UNROUTED) {
    const sent = guest.sendEncoded(tagOf(name), payloadFor(name, projectId));
    const { code, message } = errorOf(await guest.answer(sent));
    assertEquals([code, message], [0, `message ${name} was not handled`]);
  }
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 8.7a] [projects 11c] a plain message without a route is dropped without a word", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const names: readonly MessageName[] = [
    "CloseBuffer",
    "Toast",
    "HideToast",
    "LogToDebugConsole",
    "CreateFileForPeer",
    "UpdateUserSettings",
    "ExternalAgentsUpdated",
  ];
  for (const sender of [guest, host]) {
    for (const name of names) sender.sendEncoded(tagOf(name), payloadFor(name, projectId));
  }
  assertEquals(await scene.told(guest, host), []);
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 8.7b] an unknown payload gets no answer, and the connection stays", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  for (const tag of [9_999, 300_000]) guest.sendEncoded(tag, new Uint8Array([8, 1]));
  assertEquals(await scene.told(guest), []);
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 1.3] [projects 1.4] [projects 19.1] answers to nothing, and answers to what was no request, have no effect", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  host.send("RefreshInlayHints", { projectId });
  host.send("RefreshCodeLens", { projectId });
  host.send("UpdateBuffer", { projectId, bufferId: 1n });
  for (const name of ["RefreshInlayHints", "RefreshCodeLens", "UpdateBuffer"] as const) {
    const push = await guest.next(name);
    guest.reply(push, "Ack", {});
    guest.reply(push, "Error", { message: "message was not handled" });
  }
  for (const id of [0, 77, 4_000_000_000]) {
    guest.reply({ id }, "Ack", {});
    guest.reply({ id }, "OpenBufferResponse", { bufferId: 1n });
    guest.reply({ id }, "Error", { code: 3 });
    guest.reply({ id }, "EndStream", {});
  }
  await scene.quiet();
  assertEquals(guest.end, undefined);
  await scene.updateWorktree({});
  assertEquals(await scene.told(guest), ["UpdateWorktree from host"]);
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

Deno.test("[projects 14b] texts of errors are one line", async () => {
  await using scene = await Scene.open();
  const { guest, host, projectId, roomId } = scene;
  const ids = [
    guest.send("JoinProject", { projectId }),
    guest.send("UpdateProject", { projectId }),
    guest.send("OpenBufferByPath", { projectId: 99n }),
    guest.send("Push", { projectId }),
    guest.send("ShareProject", { roomId: 99n }),
    guest.send("RejoinRoom", { id: roomId, resharedProjects: [{ projectId }] }),
  ];
  const late = host.send("UpdateWorktree", { projectId, worktreeId: 999n });
  for (const id of ids) {
    const { message } = errorOf(await guest.answer(id));
    assert(message.length > 0 && !message.includes("\n"));
  }
  assert(!errorOf(await host.answer(late)).message.includes("\n"));
});
