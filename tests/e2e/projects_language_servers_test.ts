import { assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

async function joined(
  scene: Scene,
  login: string,
): Promise<{ late: TestPeer; answer: MessageTypes["JoinProjectResponse"] }> {
  const late = await scene.enter(login);
  const answer = await scene.join(late);
  await late.settle();
  return { late, answer };
}

Deno.test("[projects 7.7] [projects 7.7a] [projects 2h] a language server is inserted or replaced by id and broadcast, its capabilities as the text received", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const text = '{ "hoverProvider":true,\n "x": "ü" }';
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 5n, name: "old", worktreeId: 100n, languageName: "C" },
    capabilities: "{}",
  });
  host.send("StartLanguageServer", { projectId, server: { id: 6n, name: "plain" } });
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 5n, name: "new", worktreeId: 101n },
    capabilities: text,
  });
  host.send("StartLanguageServer", { projectId, capabilities: "{}" });
  assertEquals(await scene.told(guest, host), Array(3).fill("StartLanguageServer from host"));
  assertEquals(guest.all("StartLanguageServer").at(-1)?.capabilities, text);
  assertEquals(await scene.told(host), []);
  const { late, answer } = await joined(scene, "late");
  assertEquals(answer.languageServers, [
    { id: 5n, name: "new", worktreeId: 101n },
    { id: 6n, name: "plain" },
  ]);
  assertEquals(answer.languageServerCapabilities, [text, "{}"]);
  assertEquals(
    late.all("UpdateLanguageServer").map((one) => [
      one.languageServerId,
      one.serverName,
      one.diskBasedDiagnosticsUpdated,
    ]),
    [[5n, "new", {}], [6n, "plain", {}]],
  );
});

Deno.test("[projects 7.8] an update of a language server goes from any collaborator to all others", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const update = { projectId, languageServerId: 5n, workStart: { token: { string: "t" } } };
  host.send("UpdateLanguageServer", update);
  assertEquals(await scene.told(a!, host), ["UpdateLanguageServer from host"]);
  assertEquals(await scene.told(b!), ["UpdateLanguageServer from host"]);
  a!.send("UpdateLanguageServer", update);
  assertEquals(await scene.told(a!), []);
  assertEquals(await scene.told(b!), ["UpdateLanguageServer from guest1"]);
  assertEquals(await scene.told(host), ["UpdateLanguageServer from guest1"]);
});

Deno.test("[projects 7.8] [projects 17.3] an update of a language server from somebody who is not in the project is dropped", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  onlooker.send("UpdateLanguageServer", { projectId, languageServerId: 5n, workEnd: {} });
  assertEquals(await scene.told(onlooker), []);
  assertEquals(await scene.told(guest), []);
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 7.8a] [projects 6.3b] new capabilities replace the stored ones, an unknown server's update is still broadcast", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 5n, name: "ls" },
    capabilities: '{"old":1}',
  });
  host.send("UpdateLanguageServer", {
    projectId,
    languageServerId: 5n,
    metadataUpdated: { capabilities: '{"new":1}' },
  });
  host.send("UpdateLanguageServer", {
    projectId,
    languageServerId: 5n,
    metadataUpdated: { configuration: "x" },
  });
  host.send("UpdateLanguageServer", {
    projectId,
    languageServerId: 9n,
    metadataUpdated: { capabilities: '{"never":1}' },
  });
  assertEquals((await scene.told(guest, host)).slice(1), [
    "UpdateLanguageServer from host",
    "UpdateLanguageServer from host",
    "UpdateLanguageServer from host",
  ]);
  // A guest's word on them counts for nothing.
  guest.send("UpdateLanguageServer", {
    projectId,
    languageServerId: 5n,
    metadataUpdated: { capabilities: '{"forged":1}' },
  });
  await guest.settle();
  const { answer } = await joined(scene, "late");
  assertEquals(answer.languageServers.map(({ id }) => id), [5n]);
  assertEquals(answer.languageServerCapabilities, ['{"new":1}']);
});

Deno.test("[projects 7.8b] a removed language server is not told to later guests", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  for (const id of [5n, 6n]) {
    host.send("StartLanguageServer", {
      projectId,
      server: { id, name: `ls${id}` },
      capabilities: `{"id":${id}}`,
    });
  }
  guest.send("UpdateLanguageServer", { projectId, languageServerId: 6n, removed: {} });
  host.send("UpdateLanguageServer", { projectId, languageServerId: 5n, removed: {} });
  assertEquals((await scene.told(guest, guest, host)).at(-1), "UpdateLanguageServer from host");
  const { late, answer } = await joined(scene, "late");
  assertEquals(answer.languageServers.map(({ id }) => id), [6n]);
  assertEquals(answer.languageServerCapabilities, ['{"id":6}']);
  assertEquals(late.all("UpdateLanguageServer").map((one) => one.languageServerId), [6n]);
});

Deno.test("[projects 7.8] [projects 15.5g] diagnostics of a buffer come before the word that they are finished", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const update = host.send("UpdateBuffer", {
    projectId,
    bufferId: 7n,
    operations: [{ updateDiagnostics: { serverId: 5n } }],
  });
  await host.answer(update);
  host.send("UpdateLanguageServer", {
    projectId,
    languageServerId: 5n,
    diskBasedDiagnosticsUpdated: {},
  });
  assertEquals(await scene.told(guest, host), [
    "UpdateBuffer from host",
    "UpdateLanguageServer from host",
  ]);
});
