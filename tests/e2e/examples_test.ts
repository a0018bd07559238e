import { assert, assertEquals, assertMatch } from "@std/assert";
import { statusEdges } from "../../client/connection/machine.ts";
import { startServer } from "../support/server.ts";

const ROOT = new URL("../..", import.meta.url);

async function run(example: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `examples/${example}`, ...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
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
    "embed_a_server.ts",
    "share_a_folder.ts",
    "watch_contacts.ts",
  ]);
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
