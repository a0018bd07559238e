import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { Device } from "../support/acp/device.ts";
import { TestEditor } from "../support/acp/editor.ts";
import { created, uuid } from "../support/agents.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** The command line, as alice. */
async function terminal(server: TestServer) {
  const { id, token } = await server.addUser("alice");
  const env = { PARLEY_SERVER: server.url, PARLEY_USER_ID: `${id}`, PARLEY_TOKEN: token };
  const command = (args: readonly string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, ...args],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    env,
    start: (...args: readonly string[]) => command(args).spawn(),
    async run(...args: readonly string[]): Promise<Ran> {
      const { code, stdout, stderr } = await command(args).output();
      return { code, out: text(stdout), errors: text(stderr) };
    },
  };
}

Deno.test("[agents 2] a thread is listed, watched, prompted, allowed, refused and cancelled on the terminal", async () => {
  await using server = await startServer();
  const { env, run, start } = await terminal(server);
  await using device = await Device.of(server, "alice");
  assertEquals(await run("threads"), { code: 0, out: "There are no threads\n", errors: "" });
  await using editor = new TestEditor({ env, flags: ["--data-dir", server.dataDir] });
  await editor.open();
  const threadId = await device.thread();
  const short = threadId.slice(0, 8);

  const watching = start("watch", threadId, "--json", "--after", "0", "--until-stopped");
  const sent = await run("send", short, "tool a\ntool b\nsay \x1b[31mred");
  assertEquals([sent.code, sent.out], [0, "Done\n"]);
  await device.see("a question", ({ toolUseRequested }) => toolUseRequested);
  const [listed] = (await run("threads", "--json")).out.trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(listed.status, "waiting for permission");
  assertEquals(listed.waitingToolUseIds, ["a"]);
  assertStringIncludes((await run("threads")).out, "asks for a");

  const approved = JSON.parse((await run("approve", short, "--option", "always", "--json")).out);
  assertEquals([approved.threadId, approved.delivered], [threadId, true]);
  await device.see("the second", ({ toolUseRequested }) => toolUseRequested?.toolUseId === "b");
  assertEquals((await run("deny", threadId, "b")).out, "Done\n");
  const { stdout, code } = await watching.output();
  assertEquals(code, 0);
  const events = new TextDecoder().decode(stdout).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(events[0].threadCreated.agent, "tester");
  assertEquals(events.at(-1).completionStopped, { reason: "end_turn" });
  const resolved = events.flatMap(({ toolUseResolved: one }) => one === undefined ? [] : [one]);
  assertEquals(resolved.map((one) => [one.toolUseId, one.allowed, one.optionId]), [
    ["a", true, "always"],
    ["b", false, "no"],
  ]);

  await run("send", threadId, "wait");
  assertEquals((await run("cancel", threadId)).out, "Done\n");
  await device.see("its end", ({ completionStopped: end }) => end?.reason === "cancelled");
  const nothing = await run("cancel", threadId);
  assertEquals([nothing.code, nothing.out], [1, ""]);
  assertEquals(nothing.errors, "Cannot cancel: nothing runs in this thread\n");

  const plain = start("watch", short);
  let seen = "";
  const reading = (async () => {
    for await (const text of plain.stdout.pipeThrough(new TextDecoderStream())) seen += text;
  })();
  await waitUntil(() => seen.includes("red"));
  assert(!seen.includes("\x1b"), "what an agent says reaches the terminal as it is");
  plain.kill("SIGINT");
  assertEquals((await plain.status).code, 0);
  await Promise.all([reading, plain.stderr.cancel()]);
});

Deno.test("[agents 2] on the terminal there are all threads, though a server gives 200 at a time", async () => {
  await using server = await startServer();
  const { run } = await terminal(server);
  assertEquals(await run("threads", "--json"), { code: 0, out: "", errors: "" });
  const host = await server.client("alice");
  const events = Array.from({ length: 450 }, (_, i) => ({
    eventId: crypto.randomUUID(),
    ...created(uuid("one of", i), `thread ${i}`),
  }));
  await host.request("PublishAgentEvents", { events });
  const listed = async (...args: readonly string[]) =>
    (await run("threads", "--json", ...args)).out.trimEnd().split("\n")
      .map((line) => JSON.parse(line).threadId);
  assertEquals((await listed()).length, 50);
  const all = await listed("--limit", "449");
  assertEquals([all.length, new Set(all).size], [449, 449]);
  const oldest = uuid("one of", 0);
  const { out, errors } = await run("send", oldest.slice(0, 13), "hello", "--json");
  assertEquals(JSON.parse(out || errors).threadId, oldest);
  assertStringIncludes(
    (await run("send", oldest.slice(0, 1), "hello")).errors,
    "give more of the id",
  );
  assertStringIncludes((await run("threads", "--limit", "0")).errors, "--limit 0");
});

Deno.test("[agents 2] watch ends with its reader, with its thread, and with its login", async () => {
  await using server = await startServer();
  const { run, start } = await terminal(server);
  const host = await server.client("alice");
  const threadId = uuid("watched");
  const tell = (...events: readonly Init<MessageTypes["AgentEvent"]>[]) =>
    host.request("PublishAgentEvents", {
      events: events.map((event) => ({ eventId: crypto.randomUUID(), threadId, ...event })),
    });
  await tell(created(threadId));

  const unread = start("watch", threadId, "--json", "--after", "0");
  const reader = unread.stdout.getReader();
  assert(!(await reader.read()).done);
  await reader.cancel();
  await tell({ threadUpdated: { title: "for nobody" } });
  const [left, said] = await Promise.all([unread.status, new Response(unread.stderr).text()]);
  assertEquals([left.code, said], [0, ""]);

  const watching = start("watch", threadId, "--json", "--after", "0");
  const refused = new Response(watching.stderr).text();
  const seen = watching.stdout.getReader();
  assert(!(await seen.read()).done);
  const deleted = uuid("deleted");
  await host.request("PublishAgentEvents", {
    events: [{ eventId: crypto.randomUUID(), ...created(deleted) }],
  });
  const ending = start("watch", deleted, "--after", "0");
  const shown = ending.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert(!(await shown.read()).done);
  await host.request("DeleteAgentThread", { threadId: deleted, commandId: crypto.randomUUID() });
  let last: string | undefined;
  for (let read = await shown.read(); !read.done; read = await shown.read()) last = read.value;
  assertEquals([(await ending.status).code, last?.endsWith("deleted\n")], [0, true]);
  await ending.stderr.cancel();

  await run("user", "signout", "alice", "--data-dir", server.dataDir);
  assertEquals((await watching.status).code, 1);
  assertMatch(await refused, /unknown user or wrong token; PARLEY_USER_ID and PARLEY_TOKEN say/);
  await seen.cancel();
});

Deno.test("[agents 1] on the terminal too, an unknown thread, a missing login and a bad word get clear errors", async () => {
  await using server = await startServer();
  const { run } = await terminal(server);
  const failed = async (...args: readonly string[]) => {
    const { code, out, errors } = await run(...args);
    assertEquals([code, out], [1, ""]);
    return errors;
  };
  const unknown = crypto.randomUUID();
  assertStringIncludes(await failed("send", unknown, "hello"), `no such thread: ${unknown}`);
  assertStringIncludes(await failed("watch", unknown), `no such thread: ${unknown}`);
  assertStringIncludes(await failed("approve", "abcd"), "Cannot find the thread abcd");
  assertStringIncludes(await failed("send"), "which thread?");
  assertStringIncludes(await failed("send", "abcd", " "), "the message has no words");
  assertStringIncludes(await failed("send", "abcd", "-"), "standard input has no words");
  assertStringIncludes(await failed("threads", "--wrong"), "it is not an option");
  const elsewhere = await failed("threads", "--server", "http://127.0.0.1:1");
  assertStringIncludes(elsewhere, "127.0.0.1:1");
});
