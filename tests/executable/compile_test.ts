/** What `deno task compile` puts into its executables; their runtime cannot be had everywhere. */
import { assert, assertEquals } from "@std/assert";
import { compileArguments, TARGETS } from "../../scripts/compile.ts";
import { bundleProgram } from "../../scripts/package/bundle.ts";

const ROOT = new URL("../..", import.meta.url);
/** Any program of this system stands in for the runtime: what is put behind it is looked at. */
const STAND_IN = "/bin/true";
const MOST_BYTES = 16_000_000;

Deno.test("[local 6b] the executable's inputs: everything is in the file that is compiled", async () => {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await bundleProgram(output);
    const code = (await Deno.readTextFile(output)).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    const imported = [...code.matchAll(/^\s*(?:import|export)\b[^;"]*?from\s*"([^"]+)"/gm)]
      .map((match) => match[1] as string);
    assert(imported.length > 0);
    assertEquals(imported.filter((name) => !name.startsWith("node:")), []);
    const loaded = [...code.matchAll(/\b(?:import|__require)\(([^)]*)\)/g)]
      .map((match) => (match[1] as string).trim())
      .filter((argument) => !/^"node:[\w/]+"$/.test(argument));
    assertEquals(loaded, []);
    // Nothing is read from beside the program; a checkout's own name is only told, to be run again.
    const beside = [...code.matchAll(/new URL\(("[^"]*"|[^),]*),\s*import\.meta\.url/g)]
      .map(([, name]) => name);
    assertEquals(beside.filter((name) => name !== '"../main.ts"'), []);
  } finally {
    await Deno.remove(output);
  }
});

Deno.test("[local 6b] the executable is made by deno compile, small beside its runtime", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-compile-" });
  try {
    const target = TARGETS.find((name) =>
      name.startsWith(Deno.build.arch) && name.includes("linux")
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...compileArguments(target as string, `${folder}/parley`)],
      cwd: ROOT,
      env: { DENORT_BIN: STAND_IN },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const added = (await Deno.stat(`${folder}/parley`)).size - (await Deno.stat(STAND_IN)).size;
    assert(added > 1_000_000 && added < MOST_BYTES, `${added} bytes`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
