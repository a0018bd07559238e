/** The single file for Linux: unpacked once, whole or not at all, and needing nothing but glibc. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { VERSION } from "../../version.ts";
import { ended } from "./ended.ts";
import { EmptyRoot, whyNoRoot } from "./empty_root.ts";
import { Packaged } from "./packaged.ts";

const noRoot = await whyNoRoot();
if (noRoot !== undefined) console.warn(`Skipped in another root: ${noRoot}`);

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

/** Reads until a text has come that matches. */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const found = pattern.exec(text);
    if (found !== null) {
      reader.releaseLock();
      return found[1] as string;
    }
    const { done, value } = await reader.read();
    if (done) throw new Error(`It ended without ${pattern}: ${text}`);
    text += value;
  }
}

Deno.test("the executable unpacks itself once, whole or not at all", async (t) => {
  await using parley = await Packaged.make();
  const cache = `${parley.folder}/.cache/parley`;
  const unpacked = `${cache}/${parley.hash}`;
  const version = async (env?: Record<string, string>) => {
    const result = await ended(parley.command(["--version"], env));
    assertEquals(result, { code: 0, output: `parley ${VERSION}\n`, errors: "" });
  };

  await t.step("two first starts at the same time share one folder", async () => {
    await Promise.all([version(), version()]);
    assertEquals(await namesIn(cache), [parley.hash, "deno-dir"].sort());
    assertEquals(await namesIn(unpacked), ["deno", "libgcc_s.so.1", "parley.js"]);
    assertEquals(Number((await Deno.stat(cache)).mode) & 0o777, 0o700);
  });

  await t.step("a later start takes what is there", async () => {
    const before = (await Deno.stat(`${unpacked}/deno`)).ino;
    await version();
    assertEquals((await Deno.stat(`${unpacked}/deno`)).ino, before);
  });

  await t.step("what was cut short is unpacked anew", async () => {
    await Deno.truncate(`${unpacked}/parley.js`, 100);
    await version();
    assert((await Deno.stat(`${unpacked}/parley.js`)).size > 1_000_000);
  });

  await t.step("what a killed start left is removed by the next that unpacks", async () => {
    // No process has this number: Linux has at most 2^22.
    await Deno.mkdir(`${cache}/${parley.hash}.4999999`);
    await Deno.writeTextFile(`${cache}/${parley.hash}.4999999/deno`, "half of it");
    await Deno.remove(`${unpacked}/deno`);
    await version();
    assertEquals(await namesIn(cache), [parley.hash, "deno-dir"].sort());
  });

  await t.step("a cache folder in which others may write is refused", async () => {
    const open = `${parley.folder}/open`;
    await Deno.mkdir(`${open}/parley`, { recursive: true });
    await Deno.chmod(`${open}/parley`, 0o777);
    const result = await ended(parley.command(["--version"], { XDG_CACHE_HOME: open }));
    assertEquals(result.code, 1);
    assertStringIncludes(result.errors, "others may write into its cache folder");
    assertEquals(await namesIn(`${open}/parley`), []);
  });

  await t.step("a file that was cut off says so", async () => {
    const cut = `${parley.folder}/cut`;
    await Deno.copyFile(parley.path, cut);
    await Deno.truncate(cut, 50_000_000);
    const result = await ended(new Deno.Command(cut, { stdout: "piped", stderr: "piped" }));
    assertEquals(result.code, 1);
    assertStringIncludes(result.errors, "its file is not complete; download it again");
  });

  await t.step("its help names the executable", async () => {
    const { output } = await ended(parley.command(["--help"]));
    assertStringIncludes(output, "  parley serve");
  });

  await t.step({
    name: "alone with glibc in a root, it serves",
    ignore: noRoot !== undefined,
    fn: async () => {
      await using root = await EmptyRoot.make(parley.path);
      assertEquals(await root.run("--version"), {
        code: 0,
        output: `parley ${VERSION}\n`,
        errors: "",
      });
      const added = await root.run("user", "add", "ada", "--data-dir", "/data");
      assertEquals(added.code, 0, added.errors);
      const [, userId, token] = /^id: +(\d+)\ntoken: (.+)$/m.exec(added.output) ?? [];
      const child = root.command(["serve", "--port", "0", "--data-dir", "/data"]).spawn();
      try {
        const serverUrl = await readUntil(child.stdout, /Parley listens on (https?:\/\/[^\s;,]+)/);
        const peer = await connect({
          serverUrl,
          transport: denoTransport,
          credentials: { userId: Number(userId), token: token as string },
          dispatcher: new Dispatcher(),
        });
        await peer.request("Ping", {});
        peer.close();
        await peer.closed;
      } finally {
        child.kill("SIGKILL");
        await child.stderr.cancel();
        await child.status;
      }
    },
  });
});
