import { assert, assertEquals } from "@std/assert";
import type { MessageName } from "../../proto/mod.ts";
import { routes } from "../../rpc/routes.ts";
import { forwardedRows } from "../support/forwarded_rows.ts";
import { errorOf, payloadFor, tagOf } from "../support/payload.ts";
import { Role, Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

async function refuses(guest: TestPeer, name: MessageName, projectId: bigint): Promise<void> {
  const id = guest.sendEncoded(tagOf(name), payloadFor(projectId));
  assertEquals(errorOf(await guest.answer(id)).code, 0, name);
}

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
      who.sendEncoded(tagOf(name), payloadFor(projectId));
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

Deno.test("[projects 14] [projects 10] plain messages about a project that is over, or was never there, are answered with nothing", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  host.send("UnshareProject", { projectId });
  await scene.quiet();
  const plain = routes.filter(({ to, answers }) => to === "project" && answers.length === 0);
  for (const { tag } of plain) {
    for (const id of [projectId, 999n]) host.sendEncoded(tag, payloadFor(id));
  }
  // Names that the schema gives an answer, which a host sends after the end as well as before.
  const names = plain.map(({ message }) => message);
  for (const name of ["RefreshInlayHints", "RefreshCodeLens", "LspQueryResponse"] as const) {
    assert(names.includes(name), name);
  }
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(guest), []);
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
          const sent = who.sendEncoded(tagOf(name), payloadFor(id));
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
    const sent = guest.sendEncoded(tagOf(name), payloadFor(projectId));
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
    for (const name of names) sender.sendEncoded(tagOf(name), payloadFor(projectId));
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
