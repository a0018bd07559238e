import { assert, assertEquals, assertMatch } from "@std/assert";
import { statusEdges } from "../../client/connection/machine.ts";
import { bundle } from "../support/bundle.ts";
import { runDeno, WITHOUT_PROXY } from "../support/run_deno.ts";
import { startServer } from "../support/server.ts";

const ROOT = new URL("../..", import.meta.url);

function run(example: string, args: readonly string[]): Promise<string> {
  return runDeno("run", "-A", "--quiet", `examples/${example}`, ...args);
}

Deno.test("[design 2] the examples do what they say", async () => {
  await using server = await startServer();
  const { id, token } = await server.addUser("ann");
  const who = [server.url, String(id), token];
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "a");
    const shared = await run("share_a_folder.ts", [...who, folder]);
    assertMatch(shared, /^Shared project \d+ with 2 entries$/m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(await run("watch_contacts.ts", who), "ann\n");
  const all: string[] = [];
  for await (const { name } of Deno.readDir(new URL("examples", ROOT))) all.push(name);
  assertEquals(all.sort(), [
    "call_from_node.mjs",
    "embed_a_server.ts",
    "embed_and_wait.ts",
    "host_an_agent.ts",
    "prompt_an_agent.ts",
    "share_a_folder.ts",
    "watch_contacts.ts",
  ]);
});

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "parley-example-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("[local 7b] a server inside a Deno program: a user, a client, what happens, the end", () =>
  inFolder(async (folder) => {
    assertEquals(
      await run("embed_a_server.ts", [folder]),
      "connection.opened\nroom.created\nconnection.closed\n",
    );
  }));

async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() as string;
    yield* lines;
  }
}

const hasNode = await new Deno.Command("node", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test("[agents 1] [design 2] a host of one's own and a device that speaks with it, as the examples have them", () =>
  inFolder(async (folder) => {
    await using server = await startServer();
    const { id, token } = await server.addUser("ann");
    const who = [server.url, String(id), token];
    await using host = new Deno.Command(Deno.execPath(), {
      ...WITHOUT_PROXY,
      args: ["run", "-A", "--quiet", "examples/host_an_agent.ts", ...who, folder],
      cwd: ROOT,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(host.stderr).text();
    const lines = linesOf(host.stdout);
    const threadId = (await lines.next()).value ?? "";
    const said = await run("prompt_an_agent.ts", [...who, threadId, "pieces of eight"]);
    assertEquals(said, "pieces of eight\n");
    assertEquals((await lines.next()).done, true);
    assertEquals([(await host.status).code, await errors], [0, ""]);
  }));

Deno.test({
  name: "[local 7b] a Node program uses a server inside a Deno program" +
    (hasNode ? "" : " (skipped: no Node here)"),
  ignore: !hasNode,
  fn: () =>
    inFolder(async (folder) => {
      const { path } = await bundle("client/node.ts", folder, "deno");
      await using embedder = new Deno.Command(Deno.execPath(), {
        ...WITHOUT_PROXY,
        args: ["run", "-A", "--quiet", "examples/embed_and_wait.ts", `${folder}/data`, "ann"],
        cwd: ROOT,
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const lines = linesOf(embedder.stdout);
      const { serverUrl, userId, token } = JSON.parse((await lines.next()).value ?? "");
      const { success, stdout, stderr } = await new Deno.Command("node", {
        ...WITHOUT_PROXY,
        args: ["examples/call_from_node.mjs", path, serverUrl, String(userId), token],
        cwd: ROOT,
        stdout: "piped",
        stderr: "piped",
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout), "ann is in room 1\n");
      await embedder.stdin.close();
      const told: string[] = [];
      for await (const line of lines) told.push(line);
      assertEquals((await embedder.status).code, 0);
      assertEquals(told, [
        "connection.opened",
        "room.created",
        "room.changed",
        "room.ended",
        "connection.closed",
      ]);
    }),
});

/** The chart's edges between statuses, as the picture draws them. */
function drawn(): string[] {
  const inner: Record<string, string> = { LoginRefused: "SignedOut" };
  const edges = statusEdges();
  const lines = new Set<string>();
  const follow = (from: string, to: string, cause: string) => {
    if (to === "Again" || to === "RefusedAgain") {
      for (const [at, next] of edges) if (at === to) follow(from, next, cause);
      return;
    }
    lines.add(`  ${inner[from] ?? from} --> ${inner[to] ?? to}: ${cause}`);
  };
  for (const [from, to, cause] of edges) {
    if (from !== "Again" && from !== "RefusedAgain" && from !== "") follow(from, to, cause);
  }
  return [...lines];
}

Deno.test("[transport 3.1] the picture in docs/CLIENT.md is the chart", async () => {
  const text = await Deno.readTextFile(new URL("docs/CLIENT.md", ROOT));
  const picture = /```mermaid\nstateDiagram-v2\n {2}\[\*\] --> SignedOut\n([^]*?)```/.exec(text)
    ?.[1];
  assertEquals(picture?.trimEnd().split("\n"), drawn());
});
