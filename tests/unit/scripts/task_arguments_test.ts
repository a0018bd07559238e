/** What developers' tasks say to words that they do not know. */
import { assertEquals, assertStringIncludes } from "@std/assert";

const PROGRAM = `
import { taskArguments } from "./scripts/task_arguments.ts";
const args = taskArguments("the usage", {
  switches: ["short"], values: ["seeds", "file"], words: ["one", "two"],
});
const parts = [args.words, args.has("short"), args.number("seeds", 999), args.text("file")];
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(parts)));
`;

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-lock", PROGRAM, "--", ...args],
    cwd: new URL("../../..", import.meta.url),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("[issue 3 run] a developer's task takes its words, switches and values", async () => {
  const { code, out } = await run("two", "--short", "--seeds", "12", "--file=a b");
  assertEquals([code, JSON.parse(out)], [0, [["two"], true, 12, "a b"]]);
  assertEquals(JSON.parse((await run()).out), [[], false, null, null]);
  assertEquals(await run("--help", "nonsense"), { code: 0, out: "the usage\n", err: "" });
});

Deno.test("[issue 3 run] a developer's task starts nothing on a word that it does not know", async () => {
  for (
    const [args, problem] of [
      [["--nonsense"], "Cannot understand --nonsense"],
      [["three"], "Cannot understand three"],
      [["--seeds", "1.5"], "Cannot take 1.5 for --seeds: give a whole number"],
      [["--seeds", "1000"], "Cannot take 1000 for --seeds: give a whole number up to 999"],
      [["--file="], "--file needs a value"],
    ] as const
  ) {
    const { code, out, err } = await run(...args);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, problem);
    assertStringIncludes(err, "the usage");
  }
});
