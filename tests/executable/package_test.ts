// deno-lint-ignore-file no-console -- the reason of what is skipped
/** The single file for Linux: unpacked once, whole or not at all, and needing nothing but glibc. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { VERSION } from "../../version.ts";
import { waitUntil } from "../support/wait_until.ts";
import { ended } from "./ended.ts";
import { EmptyRoot, whyNoRoot } from "./empty_root.ts";
import { whyNoNetwork } from "../network/machines.ts";
import { localScenario } from "./local_scenario.ts";
import { Packaged } from "./packaged.ts";

const noRoot = await whyNoRoot();
if (noRoot !== undefined) console.warn(`Skipped in another root: ${noRoot}`);
const noScenario = noRoot ?? await whyNoNetwork();
if (noScenario !== undefined) console.warn(`Skipped between machines: ${noScenario}`);

let made: Promise<Packaged> | undefined;
/** One for all tests. */
const packaged = () => made ??= Packaged.make();
Deno.test.afterAll(async () => await (await made)?.[Symbol.asyncDispose]());

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

/** All that a program prints, as it comes. */
function printed(
  stream: ReadableStream<Uint8Array>,
): { text: string; readonly end: Promise<void> } {
  const decoder = new TextDecoder();
  const take = (chunk: Uint8Array) => {
    print.text += decoder.decode(chunk, { stream: true });
  };
  const print = { text: "", end: stream.pipeTo(new WritableStream({ write: take })) };
  return print;
}

Deno.test("[local 6] [local 6a] the executable unpacks itself once, whole or not at all, and needs nothing but glibc", async (t) => {
  const parley = await packaged();
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
      const [output, errors] = [printed(child.stdout), printed(child.stderr)];
      try {
        const [, serverUrl] = await waitUntil(
          () => /Parley listens on (https?:\/\/[^\s;,]+)/.exec(output.text),
          {
            describe: () => `the server to listen: ${output.text}${errors.text}`,
          },
        ) as string[];
        const peer = await connect({
          serverUrl: serverUrl as string,
          transport: denoTransport,
          credentials: { userId: Number(userId), token: token as string },
          dispatcher: new Dispatcher(),
        });
        await peer.request("Ping", {});
        peer.close();
        await peer.closed;
      } finally {
        child.kill("SIGKILL");
        await Promise.all([child.status, output.end, errors.end]);
      }
    },
  });
});

Deno.test({
  name:
    "[local 6c] [local 5a] two machines work together with nothing but the executable, and nothing leaves their network",
  ignore: noScenario !== undefined,
  fn: async () => await localScenario((await packaged()).path),
});
