import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { encode, messageInfo } from "../../proto/mod.ts";
import { Role, Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

type Query = Init<MessageTypes["LspQuery"]>;

/** Asks the host, which acknowledges; returns the id under which the host knows the query. */
async function ask(scene: Scene, guest: TestPeer, query: Query): Promise<bigint> {
  const sent = guest.send("LspQuery", { projectId: scene.projectId, ...query });
  const forwarded = await scene.host.next("LspQuery");
  assertEquals(forwarded.originalSenderId, guest.peerId);
  scene.host.reply(forwarded, "Ack", {});
  assertEquals((await guest.answer(sent)).name, "Ack");
  return forwarded.value.lspRequestId;
}

const hover = (text: string): Init<MessageTypes["LspResponse"]>[] => [
  { serverId: 1n, getHoverResponse: { contents: [{ text }] } },
];

function responses(peer: TestPeer): [bigint, string | undefined][] {
  return peer.all("LspQueryResponse").map((one) => [
    one.lspRequestId,
    one.responses[0]?.getHoverResponse?.contents[0]?.text,
  ]);
}

Deno.test("[projects 16.9] [projects 8.6a] [projects 8.6b] [projects 17.7] two guests ask with the same id, and each gets his own answer under it", async () => {
  await using scene = await Scene.open({ guests: 3 });
  const { host, guests: [a, b, c], projectId } = scene;
  for (const own of [0n, 3n, 2n ** 64n - 1n]) {
    const first = await ask(scene, a!, { lspRequestId: own, getHover: { bufferId: 7n } });
    const second = await ask(scene, b!, { lspRequestId: own, getHover: { bufferId: 7n } });
    assertNotEquals(first, second);
    host.send("LspQueryResponse", { projectId, lspRequestId: second, responses: hover("for b") });
    host.send("LspQueryResponse", { projectId, lspRequestId: first, responses: hover("for a") });
    await scene.told(a!, host);
    await b!.settle();
    assertEquals(responses(a!).at(-1), [own, "for a"]);
    assertEquals(responses(b!).at(-1), [own, "for b"]);
  }
  assertEquals([responses(a!).length, responses(b!).length], [3, 3]);
  assertEquals(await scene.told(c!), []);
  assertEquals(a!.received.at(-1)?.originalSenderId, host.peerId);
});

Deno.test("[projects 8.6] the query arrives with all that it wraps, only its id is another", async () => {
  await using scene = await Scene.open({ peer: { likeZed: true } });
  const { host, guest, projectId } = scene;
  const query: Query = {
    projectId,
    lspRequestId: 77n,
    serverId: 9n,
    getDocumentDiagnostics: { bufferId: 7n, version: [{ replicaId: 8, timestamp: 3 }] },
  };
  await ask(scene, guest, query);
  const [told] = host.all("LspQuery");
  assertEquals(encode("LspQuery", { ...told, lspRequestId: 77n }), encode("LspQuery", query));
});

Deno.test("[projects 8.6] [transport 1.6.5] a field of a later Zed beside a query ends no connection: editors may send it", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const later = new Uint8Array([
    ...encode("LspQuery", { projectId, lspRequestId: 5n, getHover: {} }),
    ...[0xa2, 0x01, 2, 0xff, 0], // field 20, which is not known here
  ]);
  const tag = messageInfo("LspQuery").tag as number;
  const passed = guest.sendEncoded(tag, later);
  host.reply(await host.next("LspQuery"), "Ack", {});
  assertEquals((await guest.answer(passed)).name, "Ack");
  await scene.setRole(guest, Role.Guest);
  assertEquals((await guest.answer(guest.sendEncoded(tag, later))).name, "Error");
  await ask(scene, guest, { lspRequestId: 6n, getHover: {} });
});

Deno.test("[projects 8.6b] an answer comes once; one to an unknown query, or from a guest, reaches nobody", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const id = await ask(scene, a!, { lspRequestId: 1n, getHover: {} });
  await scene.quiet();
  for (const lspRequestId of [0n, 1n, id + 1n, 2n ** 64n - 1n]) {
    if (lspRequestId !== id) host.send("LspQueryResponse", { projectId, lspRequestId });
  }
  b!.send("LspQueryResponse", { projectId, lspRequestId: id, responses: hover("forged") });
  assertEquals(await scene.told(a!, host, b!), []);
  host.send("LspQueryResponse", { projectId, lspRequestId: id, responses: hover("right") });
  host.send("LspQueryResponse", { projectId, lspRequestId: id, responses: hover("again") });
  assertEquals(await scene.told(a!, host), ["LspQueryResponse from host"]);
  assertEquals(responses(a!), [[1n, "right"]]);
  assertEquals(await scene.told(b!), []);
});

const READING: readonly Query[] = [
  { getHover: {} },
  { getSignatureHelp: {} },
  { getDocumentDiagnostics: {} },
  { getDefinition: {} },
  { getDeclaration: {} },
  { getTypeDefinition: {} },
  { getImplementation: {} },
  { getReferences: {} },
  { getDocumentColor: {} },
  { getFoldingRanges: {} },
  { getDocumentSymbols: {} },
  { getDocumentLinks: {} },
  { inlayHints: {} },
  { semanticTokens: {} },
];
const EDITING: readonly Query[] = [{ getCodeActions: {} }, { getCodeLens: {} }, {}];

Deno.test("[projects 8.6] [transport 10.4.1] a query needs the right of the request that it wraps; none and unknown ones the right to edit", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const unknown = new Uint8Array([
    ...encode("LspQuery", { projectId, lspRequestId: 5n, serverId: 3n }),
    ...[0xea, 0x02, 0], // field 45, which may be a request of a year to come
  ]);
  const numbered = new Uint8Array([
    ...encode("LspQuery", { projectId, lspRequestId: 6n, getHover: {} }),
    ...[0xf0, 0x02, 1], // field 46, a number: no request
  ]);
  const tag = messageInfo("LspQuery").tag as number;
  for (const role of [Role.Member, Role.Guest, Role.Talker]) {
    await scene.setRole(guest, role);
    for (const query of READING) await ask(scene, guest, query);
    const beside = guest.sendEncoded(tag, numbered);
    host.reply(await host.next("LspQuery"), "Ack", {});
    assertEquals((await guest.answer(beside)).name, "Ack");
    const ids = [
      ...EDITING.map((query) => guest.send("LspQuery", { projectId, serverId: 3n, ...query })),
      guest.sendEncoded(tag, unknown),
    ];
    await guest.settle();
    await host.settle();
    if (role === Role.Member) {
      for (const _ of ids) host.reply(await host.next("LspQuery"), "Ack", {});
      for (const id of ids) assertEquals((await guest.answer(id)).name, "Ack");
    } else {
      for (const id of ids) assertEquals((await guest.answer(id)).name, "Error");
      assertEquals(await scene.told(host), []);
    }
  }
});

Deno.test("[projects 8.6d] [transport 10.4.1] MultiLspQuery of 2025 needs the right to edit, whatever it asks", async () => {
  await using scene = await Scene.open({ peer: { version: "0.191.0" } });
  const { host, guest, projectId } = scene;
  await scene.setRole(guest, Role.Guest);
  const refused = await guest.ask("MultiLspQuery", { projectId, getHover: {} });
  assertEquals(refused.name, "Error");
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 8.6a] an Error of the host to a query is relayed; a host who is away is one too", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const sent = guest.send("LspQuery", { projectId, getHover: {} });
  host.reply(await host.next("LspQuery"), "Error", { code: 0, message: "unknown buffer" });
  const answer = await guest.answer(sent);
  assertEquals((answer.value as MessageTypes["Error"]).message, "unknown buffer");
  await scene.lose(host);
  assertEquals((await guest.ask("LspQuery", { projectId, getHover: {} })).name, "Error");
});

Deno.test("[projects 8.6c] remembered queries expire, and go when guest or host goes", async () => {
  await using scene = await Scene.open({ guests: 3 });
  const { clock, host, guests: [a, b, c], projectId, roomId } = scene;
  const late = (lspRequestId: bigint) =>
    host.send("LspQueryResponse", { projectId, lspRequestId, responses: hover("late") });

  const expired = await ask(scene, a!, { getHover: {} });
  clock.advance(10 * 60_000);
  const kept = await ask(scene, a!, { lspRequestId: 1n, getHover: {} });
  await scene.quiet();
  late(expired);
  late(kept);
  assertEquals(await scene.told(a!, host), ["LspQueryResponse from host"]);

  // A guest who comes back has forgotten what he asked, and nobody else is told.
  const lost = await ask(scene, b!, { getHover: {} });
  await scene.lose(b!);
  const back = await scene.connect("guest2");
  await back.call("RejoinRoom", { id: roomId, rejoinedProjects: [{ id: projectId }] });
  await scene.quiet();
  late(lost);
  assertEquals(await scene.told(back, host), []);

  // A guest who leaves and joins again under the same connection, too.
  const left = await ask(scene, c!, { getHover: {} });
  c!.send("LeaveProject", { projectId });
  await scene.join(c!);
  await scene.quiet();
  late(left);
  assertEquals(await scene.told(c!, host), []);

  // A new connection of the host knows nothing of the old one's queries.
  const orphan = await ask(scene, a!, { getHover: {} });
  await scene.lose(host);
  const again = await scene.connect("host");
  await again.call("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId, worktrees: [{ id: 100n, rootName: "app" }] }],
  });
  await scene.quiet();
  again.send("LspQueryResponse", { projectId, lspRequestId: orphan, responses: hover("late") });
  assertEquals(await scene.told(a!, again), []);
  assert(a!.end === undefined);
});
