/** Servers inside of another program, over real sockets: this one. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { CollabClient, denoTransport, Room } from "@parley/client/deno";
import {
  createServer,
  DataDirError,
  eventKinds,
  type Server,
  serverConfig,
  type ServerEvent,
} from "@parley/server";
import { createLocalServer, localConfig } from "@parley/server/local";
import { created, plan, uuid } from "../support/agents.ts";
import { nonce } from "../support/chat.ts";
import { edit } from "../support/notes.ts";
import { TestPeer } from "../support/test_peer.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "parley-embedded-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function clientOf(server: Server, login: string): Promise<CollabClient> {
  const { id, token } = await server.addUser(login);
  return await CollabClient.connect({
    serverUrl: server.url,
    transport: denoTransport,
    credentials: { userId: id, token },
  });
}

async function all(events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
  const found: ServerEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** The connections that a server has counted at its metrics' route. */
async function counted(server: Server): Promise<string | undefined> {
  const response = await fetch(`${server.url}/metrics`);
  return /^connections (\d+)$/m.exec(await response.text())?.[1];
}

Deno.test("[local 7] a server starts, tells its port and what happens, and stops while it is listened to", () =>
  inFolder(async (dataDir) => {
    const server = createServer(serverConfig({ dataDir, port: 0 }));
    assertThrows(() => server.port, Error, "start the server first");
    assertThrows(() => server.url, Error, "start the server first");
    const heard = all(server.events());
    const { url } = await server.start();
    assertEquals(server.url, url);
    assertEquals(server.url, `http://127.0.0.1:${server.port}`);
    const { id, token } = await server.addUser("ann");
    const peer = await TestPeer.connect({ url, user: { id, login: "ann", token } });
    const { channel } = await peer.call("CreateChannel", { name: "general" });
    const channelId = channel!.id;
    await peer.call("RenameChannel", { channelId, name: "all" });
    await peer.call("JoinChannelChat", { channelId });
    await peer.call("SendChannelMessage", { channelId, body: "hi", nonce: nonce(1), mentions: [] });
    await peer.call("RegisterAgentHost", { hostId: uuid("host"), name: "laptop" });
    const threadId = uuid("thread");
    await peer.call("PublishAgentEvents", {
      events: [{ eventId: uuid(1), ...created(threadId, "A") }, {
        eventId: uuid(2),
        ...plan(threadId, "first"),
      }],
    });
    peer.on("AgentCommand", (command) => void peer.reply(command, "Ack", {}));
    await peer.call("SendAgentMessage", { threadId, commandId: uuid("c"), text: "go on" });
    await peer.call("DeleteAgentThread", { threadId, commandId: uuid("d") });
    await server.stop();
    await peer.closed;
    const events = await heard;
    assert(events.every((event) => event.kind !== "lagged" && event.at > 0));
    const { version } = events[0] as Extract<ServerEvent, { kind: "connection.opened" }>;
    const connection = "1:0";
    const thread = { userId: id, threadId };
    const state = { ...thread, title: "A", status: 0, isArchived: false, hostId: uuid("host") };
    const command = { kind: "agent.command", ...thread, commandId: uuid("c"), reason: "" };
    const stored = (seq: number, lastSeq = seq) => (
      { kind: "agent.events_stored", ...thread, firstSeq: seq, lastSeq }
    );
    const expected: readonly object[] = [
      { kind: "connection.opened", connection, userId: id, version },
      {
        kind: "channel.created",
        channelId: 1,
        parentId: undefined,
        name: "general",
        isPublic: false,
      },
      { kind: "channel.member_changed", channelId: 1, userId: id, role: 0, isMember: true },
      {
        kind: "channel.changed",
        channelId: 1,
        parentId: undefined,
        name: "all",
        isPublic: false,
      },
      { kind: "channel.message_sent", channelId: 1, messageId: 1, userId: id },
      {
        kind: "agent.host_registered",
        connection,
        userId: id,
        hostId: uuid("host"),
        name: "laptop",
      },
      { kind: "agent.thread_created", ...state },
      stored(1, 2),
      { ...command, state: "waiting" },
      { ...command, state: "taken" },
      stored(3),
      { ...command, commandId: uuid("d"), state: "waiting" },
      { kind: "agent.thread_deleted", ...thread },
      stored(4),
      { ...command, commandId: uuid("d"), state: "taken" },
      { kind: "connection.closed", connection, userId: id, reason: "server_stopping" },
    ];
    assertEquals(
      events.map((event) => ({ ...event, at: 0 })) as readonly object[],
      expected.map((event) => ({ ...event, at: 0 })),
    );
    assertEquals(await all(server.events()), []);
  }));

Deno.test("[local 7a] two servers in one process have events, metrics, accounts and ends of their own", () =>
  inFolder(async (folder) => {
    const make = (name: string) =>
      createServer(serverConfig({ dataDir: `${folder}/${name}`, port: 0 }));
    await using one = make("one");
    await using two = make("two");
    const kinds = ["connection.opened", "room.created", "room.ended"] as const;
    const ofOne = all(one.events({ kinds }));
    const ofTwo = all(two.events({ kinds }));
    await Promise.all([one.start(), two.start()]);
    assert(one.port !== two.port);
    const [ann, bob] = [await clientOf(one, "ann"), await clientOf(two, "bob")];
    const carl = await clientOf(two, "carl");
    await Room.create(ann);
    const room = await Room.create(bob);
    assertEquals([await counted(one), await counted(two)], ["1", "2"]);
    assertEquals(await one.store.userByLogin("bob"), undefined);

    await one.stop();
    ann.close();
    assertEquals((await ofOne).map(({ kind }) => kind), ["connection.opened", "room.created"]);
    // The other one goes on.
    await room.leave();
    assertEquals(await counted(two), "2");
    await bob.drain();
    await carl.drain();
    await two.stop();
    assertEquals((await ofTwo).map(({ kind }) => kind), [
      "connection.opened",
      "connection.opened",
      "room.created",
      "room.ended",
    ]);
  }));

Deno.test("[local 7a] a folder or a port that another server has is refused, and no harm is done", () =>
  inFolder(async (folder) => {
    await using server = createServer(serverConfig({ dataDir: `${folder}/a`, port: 0 }));
    await server.start();
    const sameFolder = createServer(serverConfig({ dataDir: `${folder}/a`, port: 0 }));
    const heard = all(sameFolder.events());
    await assertRejects(() => sameFolder.start(), DataDirError, "another Parley is running on it");
    await sameFolder.stop();
    assertEquals(await heard, []);
    const samePort = createServer(serverConfig({ dataDir: `${folder}/b`, port: server.port }));
    await assertRejects(() => samePort.start(), Deno.errors.AddrInUse);
    await samePort.stop();
    const client = await clientOf(server, "ann");
    await client.drain();
  }));

async function peerOf(server: Server, login: string): Promise<TestPeer> {
  const { id, token } = await server.addUser(login);
  return await TestPeer.connect({ url: server.url, user: { id, login, token } });
}

Deno.test("[local 7] connections, rooms, projects, channels and agents: each kind of event is told", () =>
  inFolder(async (dataDir) => {
    await using server = createServer(serverConfig({ dataDir, port: 0 }));
    const heard = all(server.events());
    await server.start();
    const ann = await peerOf(server, "ann");
    const bob = await peerOf(server, "bob");

    const { id: channelId } = (await ann.call("CreateChannel", { name: "general" })).channel!;
    await ann.call("InviteChannelMember", { channelId, userId: bob.userId, role: 1 });
    await bob.call("RespondToChannelInvite", { channelId, accept: true });
    await ann.call("RenameChannel", { channelId, name: "all" });
    await ann.call("JoinChannelChat", { channelId });
    const { message } = await ann.call("SendChannelMessage", {
      channelId,
      body: "hi",
      nonce: nonce(1),
    });
    const messageId = message!.id;
    const changed = { channelId, messageId, body: "ho", nonce: nonce(2) };
    await ann.call("UpdateChannelMessage", changed);
    await ann.call("RemoveChannelMessage", { channelId, messageId });
    const { replicaId } = await ann.call("JoinChannelBuffer", { channelId });
    ann.send("UpdateChannelBuffer", {
      channelId,
      operations: [edit([replicaId, 1], [], [0, 0], "notes")],
    });

    const { room } = await ann.call("JoinChannel", { channelId });
    await bob.call("JoinChannel", { channelId });
    const { projectId } = await ann.call("ShareProject", { roomId: room!.id, worktrees: [] });
    const worktrees = [{ id: 1n, rootName: "root", absPath: "/root", visible: true }];
    await ann.call("UpdateProject", { projectId, worktrees });
    await bob.call("JoinProject", { projectId });
    bob.send("LeaveProject", { projectId });
    await bob.call("LeaveRoom", {});
    ann.send("UnshareProject", { projectId });
    await ann.call("LeaveRoom", {});
    await ann.call("RemoveChannelMember", { channelId, userId: bob.userId });
    await ann.call("DeleteChannel", { channelId });

    const threadId = uuid("thread");
    await bob.call("RegisterAgentHost", { hostId: uuid("host"), name: "laptop" });
    await bob.call("PublishAgentEvents", {
      events: [{ eventId: uuid(1), ...created(threadId, "A") }],
    });
    await bob.call("PublishAgentEvents", {
      events: [{ eventId: uuid(2), threadId, threadUpdated: { title: "B" } }],
    });
    bob.on("AgentCommand", (command) => void bob.reply(command, "Ack", {}));
    await bob.call("DeleteAgentThread", { threadId, commandId: uuid("d") });
    await server.stop();
    await Promise.all([ann.closed, bob.closed]);

    const events = await heard;
    const kinds = new Set(events.map(({ kind }) => kind));
    assertEquals(eventKinds.filter((kind) => !kinds.has(kind)), []);
    const facts = (kind: ServerEvent["kind"]): object[] =>
      events.filter((event) => event.kind === kind).map((event) => ({ ...event, at: 0 }));
    const project = { at: 0, projectId: Number(projectId), roomId: Number(room!.id) };
    const hosted = { ...project, hostUserId: Number(ann.userId) };
    assertEquals(facts("project.changed"), [
      { kind: "project.changed", ...hosted, worktrees: ["root"] },
    ]);
    assertEquals(facts("project.left"), [
      { kind: "project.left", ...hosted, userId: Number(bob.userId) },
    ]);
    assertEquals(facts("project.unshared"), [{ kind: "project.unshared", ...hosted }]);
    assertEquals(facts("room.created").length, 1);
    assertEquals(facts("room.ended"), [
      { kind: "room.ended", at: 0, roomId: Number(room!.id), channelId: Number(channelId) },
    ]);
    assertEquals(facts("channel.member_removed").map((one) => "userId" in one && one.userId), [
      Number(bob.userId),
      Number(ann.userId),
    ]);
    assertEquals(facts("agent.thread_updated").map((one) => "title" in one && one.title), ["B"]);
  }));

const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-sys", "--allow-env"];

Deno.test("[local 7] a program of its own links a checkout, as docs/EMBEDDING.md says", () =>
  inFolder(async (folder) => {
    const text = await Deno.readTextFile(new URL("../../docs/EMBEDDING.md", import.meta.url));
    const config = JSON.parse(/```json\n([^]*?)```/.exec(text)?.[1] ?? "");
    const checkout = fileURLToPath(new URL("../..", import.meta.url));
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ ...config, links: [checkout] }),
    );
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `import { createServer, serverConfig } from "@parley/server";
       await using server = createServer(serverConfig({ dataDir: "data", port: 0 }));
       await server.start();
       console.log((await server.addUser("ann")).login);`,
    );
    // The versions that are here already: nothing is asked of a registry.
    await Deno.copyFile(`${checkout}/deno.lock`, `${folder}/deno.lock`);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...PERMISSIONS, "main.ts"],
      cwd: folder,
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert(text.includes(PERMISSIONS.join(" ")));
    assertEquals(new TextDecoder().decode(stdout), "ann\n", new TextDecoder().decode(stderr));
  }));

Deno.test("[local 7] a server of the local mode is one too", () =>
  inFolder(async (dataDir) => {
    const local = createLocalServer(localConfig({
      ...{ dataDir, port: 0, interfaces: ["none"], mdnsEnabled: false },
    }));
    const heard = all(local.events({ kinds: ["connection.opened"] }));
    await local.start();
    const client = await clientOf(local.server, "ann");
    await client.drain();
    await local.stop();
    assertEquals((await heard).map(({ kind }) => kind), ["connection.opened"]);
  }));
