import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeFiles, runDemo } from "../../scripts/demo.ts";

Deno.test("[issue 3 real input] the demo's host, guest and disk end up equal", async () => {
  const folder = await makeFiles(700);
  try {
    await Deno.writeTextFile(`${folder}/.gitignore`, "ignored/\n*.log\n");
    await Deno.mkdir(`${folder}/ignored/deep`, { recursive: true });
    await Deno.writeTextFile(`${folder}/ignored/deep/file`, "");
    await Deno.writeTextFile(`${folder}/x.log`, "");
    await Deno.mkdir(`${folder}/.git/objects`, { recursive: true });
    const before = await listing(folder);
    const lines: string[] = [];
    const { entries, text } = await runDemo(folder, (line) => lines.push(line));
    // The root, 4 folders of files, the files, .gitignore, the ignored folder and file; not .git.
    assertEquals(entries, 1 + 4 + 700 + 1 + 1 + 1);
    assert(text.includes("bob, offline"), "offline edits are lost");
    assert(lines.some((line) => line.includes("ignored/ (ignored)")), lines.join("\n"));
    assertEquals(lines.at(-1), "Host, guest and disk are equal.");
    assertEquals(await listing(folder), before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[issue 3 real input] the demo of a folder that is not there fails", async () => {
  await assertRejects(() => runDemo("/no/such/folder", () => {}), Error, "No such file or folder");
});

async function listing(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}
