import { assertEquals } from "@std/assert";
import { TestEditor } from "../support/acp/editor.ts";
import { startServer } from "../support/server.ts";

/** Its `initialize` needs no account and no network. */
const AGENT = "npm:@zed-industries/claude-code-acp@0.16.2";
/** Of this program's own packages it is none. */
const APART = ["--no-config", "--no-lock", "--node-modules-dir=none"];

async function whyNot(): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", ...APART, AGENT],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return undefined;
  return new TextDecoder().decode(stderr).trim().split("\n").at(-1);
}

const missing = await whyNot();

Deno.test({
  name: "[agents 1a] a published agent introduces itself through the bridge as without it" +
    (missing === undefined ? "" : ` (skipped: ${AGENT} cannot be had: ${missing})`),
  ignore: missing !== undefined,
  async fn() {
    await using server = await startServer();
    const { id, token } = await server.addUser("alice");
    await using editor = new TestEditor({
      flags: ["--data-dir", server.dataDir],
      env: { PARLEY_SERVER: server.url, PARLEY_USER_ID: `${id}`, PARLEY_TOKEN: token },
      agent: [Deno.execPath(), "run", "-A", ...APART, AGENT],
    });
    const answer = await editor.initialize();
    assertEquals(answer.protocolVersion, 1);
    assertEquals(JSON.parse(editor.output.split("\n", 1)[0]!).result, answer);
    editor.child.kill("SIGTERM");
  },
});
