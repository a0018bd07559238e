import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Device } from "../support/acp/device.ts";
import { TestEditor, type TestEditorOptions } from "../support/acp/editor.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { TcpRelay } from "../support/tcp_relay.ts";
import { waitUntil } from "../support/wait_until.ts";

async function editorOf(
  server: TestServer,
  { url = server.url, ...options }: TestEditorOptions & { readonly url?: string } = {},
): Promise<TestEditor> {
  const { id, token } = await server.addUser("alice");
  return new TestEditor({
    ...options,
    flags: ["--data-dir", server.dataDir, "--name", "laptop", ...options.flags ?? []],
    env: { PARLEY_SERVER: url, PARLEY_USER_ID: `${id}`, PARLEY_TOKEN: token },
  });
}

Deno.test("[agents 4d] what an agent does in an editor is seen on another device", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  await using editor = await editorOf(server);
  const sessionId = await editor.open("/tmp");
  const threadId = await device.thread();
  assertEquals(
    await editor.prompt(sessionId, "think hm", "say hello ", "say world", "plan it"),
    "end_turn",
  );
  assertEquals(await device.see("the end", (one) => one.completionStopped), { reason: "end_turn" });
  const { threadCreated } = device.events[0]!;
  assertEquals(threadCreated, {
    title: "",
    cwd: "/tmp",
    agent: "tester",
    agentVersion: "1.2.3",
    sessionId,
    mode: "ask",
  });
  assertEquals(device.said, "hello world");
  assertEquals(editor.said, "hello world");
  const { thread, messages } = await device.client.request("GetAgentThread", { threadId });
  assertEquals(thread?.title, "think hm");
  assertEquals(messages.map(({ text, thought }) => [text, thought]), [
    ["think hm\nsay hello \nsay world\nplan it", ""],
    ["hello world", "hm"],
  ]);
  await waitUntil(() => editor.errors !== "");
  assertEquals(editor.errors, "the agent is here\n");
});

Deno.test("[agents 1a] [agents 4a] lines pass as they are, whatever they are", async () => {
  await using server = await startServer();
  const { id, token } = await server.addUser("alice");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "agent", "--data-dir", server.dataDir, "--", "cat"],
    env: { PARLEY_SERVER: server.url, PARLEY_USER_ID: `${id}`, PARLEY_TOKEN: token },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = [
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{ "protocolVersion":1 }}\r\n',
    '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"unknown":[1.50,1e3]}}\n',
    '{"jsonrpc":"2.0","method":"_vendor/thing","params":{"\\u00e4":"ä"}}\n',
    '{"jsonrpc":"2.0","id":"x","method":"session/fork","params":null}\n',
    '{"method":"session/update","params":{"sessionId":5,"update":"no object"}}\n',
    '{"id":{},"method":7}\n[{"jsonrpc":"2.0"}]\nnull\n"\n\n{{{\n',
    `{"long":"${"x".repeat(3_000_000)}"}\n`,
    "no end of the line",
  ];
  const sent = new Uint8Array([
    ...new TextEncoder().encode(lines.slice(0, 6).join("")),
    ...[0xff, 0xfe, 0, 10],
    ...new TextEncoder().encode(lines.slice(6).join("")),
  ]);
  const writer = child.stdin.getWriter();
  const write = async () => {
    for (let at = 0; at < sent.length; at += 70_001) {
      await writer.write(sent.slice(at, at + 70_001));
    }
    await writer.close();
  };
  const [{ stdout, code }] = await Promise.all([child.output(), write()]);
  assertEquals(code, 0);
  assertEquals(stdout.length, sent.length);
  assert(stdout.every((byte, at) => byte === sent[at]), "the bytes are others");
});

Deno.test("[agents 4b] a device's prompt waits for its turn, and so does the editor's behind it", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  await using other = await Device.of(server, "alice");
  await using editor = await editorOf(server);
  const sessionId = await editor.open();
  const threadId = await device.thread();

  const first = editor.prompt(sessionId, "say one ", "wait");
  await device.see("the first words", ({ messageChunk }) => messageChunk);
  const sent = device.send(threadId, "say two ", "tool t1", "say three ");
  const { commandId } = await other.see("that it waits", (one) => one.commandWaiting);
  assert(!editor.updates.some((one) => one.sessionUpdate === "user_message_chunk"));

  await other.client.request("CancelAgentCompletion", { threadId, ...other.command() });
  assertEquals(await first, "cancelled");
  await sent;
  const added = await other.see(
    "its turn",
    ({ messageAdded }) => messageAdded?.commandId === commandId && messageAdded,
  );
  assertEquals(added.text, "say two \ntool t1\nsay three ");
  await waitUntil(() => editor.questions.length === 1);
  assertEquals(
    editor.updates.filter((one) => one.sessionUpdate === "user_message_chunk")
      .map(({ content }) => content.type === "text" && content.text),
    ["say two \ntool t1\nsay three "],
  );

  const last = editor.prompt(sessionId, "say four");
  const second = device.send(threadId, " and five");
  await device.see(
    "that it waits too",
    ({ commandWaiting }) => commandWaiting !== undefined && commandWaiting.commandId !== commandId,
  );
  assertEquals(editor.said, "one two ");
  editor.questions[0]!.answer("once");
  assertEquals(await last, "end_turn");
  await second;
  await device.see(
    "all ends",
    () => device.events.filter((one) => one.completionStopped !== undefined).length === 4,
  );
  assertEquals(editor.said, "one two three four");
  assertEquals(device.said, editor.said);
  // A prompt of the editor that still waits is taken back with the turn that it waits for.
  await device.send(threadId, "wait");
  const held = editor.prompt(sessionId, "say never");
  await editor.cancel(sessionId);
  assertEquals(await held, "cancelled");
  assertEquals(editor.said, "one two three four");
});

Deno.test("[agents 4c] of the editor and two devices, the first answer counts", async () => {
  await using server = await startServer();
  await using one = await Device.of(server, "alice");
  await using two = await Device.of(server, "alice");
  await using editor = await editorOf(server);
  const sessionId = await editor.open();
  const threadId = await one.thread();
  const resolved = async (toolUseId: string) =>
    await two.see(
      `the answer for ${toolUseId}`,
      ({ toolUseResolved }) => toolUseResolved?.toolUseId === toolUseId && toolUseResolved,
    );

  const done = editor.prompt(sessionId, "tool a", "tool b", "tool c", "tool d");
  const asked = await two.see("the question", (event) => event.toolUseRequested);
  assertEquals([asked.name, asked.input], ["Run a", '{"id":"a"}']);
  assertEquals(asked.options.map(({ optionId }) => optionId), ["always", "once", "no"]);

  const allow = one.command();
  await one.client.request("UseAgentTools", { threadId, toolUseIds: ["a"], ...allow });
  const { commandId, subscriberId } = allow;
  assertEquals(await resolved("a"), {
    toolUseId: "a",
    allowed: true,
    optionId: "once",
    subscriberId,
    commandId,
  });
  await waitUntil(() => editor.questions.length === 2);
  const [first, second] = editor.questions;
  assert(first!.signal.aborted, "the editor's question is still open");
  first!.answer("no");
  const late = { threadId, toolUseIds: ["a"], ...two.command() };
  await assertRejects(
    () => two.client.request("DenyAgentTools", late),
    Error,
    "the tool a does not wait for permission (any more)",
  );

  second!.answer("always");
  const byEditor = await resolved("b");
  assertEquals([byEditor.allowed, byEditor.optionId], [true, "always"]);
  assertEquals(byEditor.subscriberId, undefined);

  await two.see("the third question", (event) => event.toolUseRequested?.toolUseId === "c");
  const wrong = { threadId, toolUseIds: ["c"], optionId: "no" };
  await assertRejects(
    () => two.client.request("UseAgentTools", { ...wrong, ...two.command() }),
    Error,
    "to allow it there are the options once, always",
  );
  await two.client.request("DenyAgentTools", { threadId, toolUseIds: ["c"], ...two.command() });
  assertEquals((await resolved("c")).allowed, false);
  const ended = await two.see(
    "c to be refused",
    ({ toolUseCompleted }) => toolUseCompleted?.toolUseId === "c" && toolUseCompleted,
  );
  assertEquals(ended.error, "answer no");

  await two.see("the last question", (event) => event.toolUseRequested?.toolUseId === "d");
  await one.client.request("CancelAgentCompletion", { threadId, ...one.command() });
  assertEquals(await done, "cancelled");
});

Deno.test("[agents 4d] a session that is loaded again goes on in its thread, with what waited for it", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  let sessionId = "";
  {
    await using editor = await editorOf(server);
    sessionId = await editor.open();
    await editor.prompt(sessionId, "say before ");
  }
  const threadId = await device.thread();
  await device.see("the end", (one) => one.completionStopped);
  const { delivery } = await device.send(threadId, "say after");
  assertEquals(delivery, 1);
  await using editor = await editorOf(server);
  await editor.initialize();
  await editor.connection.agent.request("session/load", { sessionId, cwd: "/tmp", mcpServers: [] });
  await device.see("the answer", () => device.said === "before after");
  assertEquals(editor.said, "from historyafter");
  assertEquals(device.events.filter((one) => one.threadCreated !== undefined).length, 1);
  assertEquals(new Set(device.events.map((one) => one.threadId)).size, 1);
});

Deno.test("[agents R7] a device begins a thread with an agent that an editor runs", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  await using editor = await editorOf(server);
  await editor.open();
  await device.thread();
  const threadId = crypto.randomUUID();
  await device.client.request("CreateAgentThread", {
    threadId,
    cwd: "/tmp",
    text: "tool x\nsay done",
    ...device.command(),
  });
  await device.see("the question", ({ toolUseRequested }) => toolUseRequested);
  const { thread } = await device.client.request("GetAgentThread", { threadId });
  assertEquals([thread?.agent, thread?.title], ["tester", "tool x"]);
  await device.client.request("UseAgentTools", {
    threadId,
    toolUseIds: ["x"],
    ...device.command(),
  });
  await device.see("the words", () => device.said === "done");
  // The editor knows no such session.
  assertEquals([editor.updates.length, editor.questions.length], [0, 0]);
});

Deno.test("[agents R2] [agents 1a] while the server is away editor and agent do not notice", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  await using relay = new TcpRelay({
    hostname: "127.0.0.1",
    port: Number(new URL(server.url).port),
  });
  await using editor = await editorOf(server, { url: relay.url });
  const sessionId = await editor.open();
  await device.thread();
  await editor.prompt(sessionId, "say a");
  await device.see("the first words", () => device.said === "a");
  relay.refuse();
  await server.restart();
  for (const letter of "bcdef") {
    assertEquals(await editor.prompt(sessionId, `say ${letter}`), "end_turn");
  }
  assertEquals(device.said, "a");
  const log = async () => {
    const text = await Deno.readTextFile(`${server.dataDir}/agents/agent.log`);
    return text.trimEnd().split("\n").map((line) => line.split(" ").slice(2).join(" "));
  };
  await waitUntil(async () => (await log()).length === 3);
  relay.heal();
  await device.see("all words", () => device.said === "abcdef");
  await server.restart();
  await editor.prompt(sessionId, "say g");
  await device.see("the last word", () => device.said === "abcdefg");
  // Who looks for a missing thread finds why, and each reason once.
  const [, away, reason, back] = await log();
  assertStringIncludes(away!, "The server is away");
  assertStringIncludes(reason!, "No connection to the server: ");
  assertEquals(back, "Connected to the server");
});

Deno.test("[agents 1a] without a login there is only the agent", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "parley-bridge-" });
  try {
    const env = { PARLEY_USER_ID: "", PARLEY_TOKEN: "", XDG_CONFIG_HOME: dataDir };
    await using editor = new TestEditor({ flags: ["--data-dir", dataDir], env });
    const sessionId = await editor.open();
    assertEquals(await editor.prompt(sessionId, "say hello"), "end_turn");
    assertEquals(editor.said, "hello");
    assertStringIncludes(
      await Deno.readTextFile(`${dataDir}/agents/agent.log`),
      "This agent's threads are not shown anywhere",
    );
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("[agents 4f] exit codes and signals pass, and the streams hold nothing of the bridge", async () => {
  await using server = await startServer();
  {
    await using editor = await editorOf(server);
    const sessionId = await editor.open();
    await editor.prompt(sessionId, "shout");
    await editor.prompt(sessionId, "exit 7").catch(() => {});
    assertEquals(await editor.ended(), 7);
    const lines = editor.output.trimEnd().split("\n");
    assertEquals(lines.filter((line) => !line.startsWith("{")), ["not a message at all"]);
    // The second line is the agent's too: its library's, about the editor's answer to the shout.
    assertEquals(editor.errors.trimEnd().split("\n"), [
      "the agent is here",
      "Got response to unknown request null",
    ]);
  }
  if (Deno.build.os !== "windows") {
    const script = 'trap "echo hup; exit 41" HUP; echo ready; while :; do sleep 0.05; done';
    await using editor = await editorOf(server, { agent: ["sh", "-c", script] });
    await waitUntil(() => editor.output.includes("ready"));
    editor.child.kill("SIGHUP");
    assertEquals(await editor.ended(), 41);
    assertEquals(editor.output, "ready\nhup\n");
  }
  await using missing = await editorOf(server, { agent: ["no-such-agent-here"] });
  assertEquals(await missing.ended(), 1);
  assertStringIncludes(missing.errors, 'Cannot run the agent "no-such-agent-here"');
});

Deno.test("[agents 1a] what is printed for Zed's settings starts the same bridge", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const flags = ["--print-zed-settings", "--name", "my laptop"];
  const agent = ["npx", "-y", "@example/some-agent@1.2.3", "--acp"];
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "agent", ...flags, "--", ...agent],
  }).output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    agent_servers: {
      "some-agent (Parley)": {
        type: "custom",
        command: Deno.execPath(),
        args: ["run", "-A", main, "agent", "--name", "my laptop", "--", ...agent],
        env: {},
      },
    },
  });
});
