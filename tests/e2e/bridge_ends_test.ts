/** What becomes of a bridge's threads when it ends, in order or not. [agents 4] */
import { assert, assertEquals } from "@std/assert";
import { Device } from "../support/acp/device.ts";
import { TEST_AGENT, TestEditor, type TestEditorOptions } from "../support/acp/editor.ts";
import { coverage } from "../support/agents.ts";
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
    flags: ["--data-dir", server.dataDir],
    env: { PARLEY_SERVER: url, PARLEY_USER_ID: `${id}`, PARLEY_TOKEN: token },
  });
}

Deno.test({
  name: "[agents R2] a bridge that is killed in mid-stream has lost nothing, and its agent ends" +
    (Deno.build.os === "windows" ? " (skipped: no SIGKILL here)" : ""),
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = await startServer();
    await using device = await Device.of(server, "alice");
    await using relay = new TcpRelay({
      hostname: "127.0.0.1",
      port: Number(new URL(server.url).port),
    });
    const words = Array.from({ length: 300 }, (_, i) => ` word${i}`);
    const ended = `${server.dataDir}/agent-has-ended`;
    const { said } = await (async () => {
      const agent = ["sh", "-c", `"$@"; echo yes > ${ended}`, "sh", ...TEST_AGENT];
      await using editor = await editorOf(server, { url: relay.url, agent });
      const sessionId = await editor.open();
      await editor.prompt(sessionId, "say begun");
      await device.see("the beginning", (one) => one.completionStopped);
      // From here on nothing reaches the server; and the turn is never over.
      relay.refuse();
      editor.prompt(sessionId, ...words.map((word) => `say ${word}`), "wait");
      await waitUntil(() => editor.said.length > 1_000);
      editor.child.kill("SIGKILL");
      await editor.child.status;
      return editor;
    })();
    assertEquals(await waitUntil(() => Deno.readTextFile(ended).catch(() => "")), "yes\n");
    assertEquals(device.said, "begun");
    relay.heal();
    // The next bridge, of whatever agent, brings what is left.
    await using _next = await editorOf(server, { url: relay.url, agent: ["cat"] });
    await device.see("what the editor had seen", () => device.said.startsWith(said));
    assert(`begun${words.join("")}`.startsWith(device.said), "what the agent said, in its order");
    assertEquals(new Set(device.events.map((one) => one.threadId)).size, 1);
    coverage(device.events);
  },
});

/** The next bridge loads the session: what waited for it is answered there, and nothing has failed. */
async function answersAfterLoading(
  server: TestServer,
  device: Device,
  sessionId: string,
): Promise<void> {
  await using editor = await editorOf(server);
  await editor.initialize();
  await editor.connection.agent.request("session/load", { sessionId, cwd: "/tmp", mcpServers: [] });
  await device.see("the answer", () => device.said === "before after");
  assertEquals(device.events.filter((one) => one.commandFailed !== undefined), []);
}

Deno.test("[agents R7] what waits at a bridge for its session outlives the bridge", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  let sessionId = "";
  {
    await using editor = await editorOf(server);
    sessionId = await editor.open();
    await editor.prompt(sessionId, "say before ");
    await device.see("the end", (one) => one.completionStopped);
  }
  const threadId = await device.thread();
  let answer;
  {
    // Another bridge of the same host takes the command, and ends before the session is opened.
    await using editor = await editorOf(server);
    await editor.open();
    await device.see("its thread", (one) => one.threadCreated && one.threadId !== threadId);
    answer = device.send(threadId, "say after");
    await device.see("that it waits", (one) => one.commandWaiting);
  }
  assertEquals(await answer, { delivery: 1 });
  await answersAfterLoading(server, device, sessionId);
});

Deno.test("[agents R7] a prompt that waits for the end of a turn outlives the bridge", async () => {
  await using server = await startServer();
  await using device = await Device.of(server, "alice");
  let sessionId = "";
  let answer;
  {
    await using editor = await editorOf(server);
    sessionId = await editor.open();
    const threadId = await device.thread();
    editor.prompt(sessionId, "say before ", "wait");
    await device.see("its words", () => device.said === "before ");
    answer = device.send(threadId, "say after");
    await device.see("that it waits", (one) => one.commandWaiting);
  }
  assertEquals(await answer, { delivery: 1 });
  await answersAfterLoading(server, device, sessionId);
});
