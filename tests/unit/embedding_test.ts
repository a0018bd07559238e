/** The library leaves its process alone: what is in its module graph, and what it does when it runs. */
import { assert, assertEquals } from "@std/assert";
import { eventKinds } from "../../actors/events.ts";
import { bare } from "../../scripts/check_imports.ts";
import { runDeno } from "../support/run_deno.ts";

const ROOT = new URL("../..", import.meta.url);

interface Graph {
  readonly modules: readonly { readonly specifier: string; readonly local?: string }[];
}

/** Our own code that comes with the library, by path, without comments and strings. */
async function libraryCode(): Promise<Map<string, string>> {
  const { modules } = JSON.parse(await runDeno("info", "--json", "mod_local.ts")) as Graph;
  const found = new Map<string, string>();
  for (const { specifier } of modules) {
    const path = specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : undefined;
    if (!path?.endsWith(".ts") || path.endsWith(".d.ts")) continue;
    found.set(path, bare(await Deno.readTextFile(new URL(specifier))));
  }
  return found;
}

/** What belongs to a process, and so to its main program. */
const OF_THE_PROCESS: Readonly<Record<string, RegExp>> = {
  "ends the process": /\bDeno\s*\.\s*(?:exit|kill)\b|\bprocess\s*\.\s*(?:exit|abort|kill)\b/,
  "handles signals": /\b(?:add|remove)SignalListener\b|\bprocess\s*\.\s*on(?:ce)?\b/,
  "hears of uncaught errors": /\bglobalThis\s*\.\s*addEventListener\b|(?<![.\w])addEventListener\b/,
  "configures the logging": /\bconfigureLog\b|\bconfigure(?:Sync)?\s*\(/,
  "writes to the console": /\bconsole\s*\.|\bDeno\s*\.\s*std(?:out|err)\b/,
  "changes the process": /\bDeno\s*\.\s*(?:chdir|umask|env)\b|\bprocess\s*\.\s*(?:chdir|env)\b/,
  "uses metrics of the process": /\bcollectDefaultMetrics\b|\bglobalRegistry\b/,
};

/**
 * Variables of modules: room to work in for one synchronous call, and what is computed once from
 * constants. Nothing of a server outlives the call in any of them.
 */
const WORKSPACE: readonly string[] = [
  "proto/message_info.ts catalogue",
  "proto/schema_table.ts tables",
  "proto/validate.ts cursor",
  "proto/validate.ts left",
  "proto/validate.ts shapes",
  "rpc/envelope.ts cursor",
  "rpc/zstd_slab.ts block",
  "rpc/zstd_slab.ts used",
  "rpc/zstd_wasm.ts compiled",
  "rpc/zstd_wasm.ts decoder",
];

Deno.test("[local 7a] the library's modules hold nothing that belongs to the process", async () => {
  const files = await libraryCode();
  assert(files.has("server.ts") && files.has("actors/start.ts") && files.has("local_server.ts"));
  assert(files.size > 300, `${files.size} files`);
  assertEquals(
    [...files.keys()].filter((file) => /^(?:cli|tests|scripts)\/|^main\.ts/.test(file)),
    [],
  );
  const found: string[] = [];
  for (const [file, code] of files) {
    for (const [what, word] of Object.entries(OF_THE_PROCESS)) {
      if (word.test(code)) found.push(`${file} ${what}`);
    }
  }
  assertEquals(found, []);
});

Deno.test("[local 7a] no module of the library keeps anything of a server", async () => {
  const found: string[] = [];
  for (const [file, code] of await libraryCode()) {
    const variables = code.matchAll(/^(?:export\s+)?(?:let|var)\s+(\w+)/gm);
    const collections = code.matchAll(
      /^(?:export\s+)?const\s+(\w+)(?::(?!\s*(?:Readonly|readonly))[^=\n]+)?\s*=\s*new\s+(?:Map|Set)\b/gm,
    );
    for (const [, name] of [...variables, ...collections]) found.push(`${file} ${name}`);
  }
  assertEquals(found.filter((one) => !/ [A-Z_]+$/.test(one)).sort(), WORKSPACE);
});

Deno.test("[local 7a] two servers run and stop without a trace in their process, which then ends", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-embedding-" });
  try {
    const program = `
      const touched = [];
      const record = (object, ...names) => {
        for (const name of names) {
          const original = object[name];
          object[name] = function (...args) {
            touched.push(name);
            return original.apply(this, args);
          };
        }
      };
      const process = (await import("node:process")).default;
      record(Deno, "exit", "addSignalListener", "chdir", "umask");
      record(globalThis, "addEventListener");
      record(process, "exit", "on", "once", "abort");
      record(console, "log", "info", "warn", "error", "debug");
      Object.defineProperty(Deno, "env", {
        get() { touched.push("env of " + new Error().stack); return undefined; },
        configurable: true,
      });
      const { getConfig } = await import("@logtape/logtape");
      const { register } = await import("prom-client");
      const { createServer, serverConfig } = await import("./mod.ts");
      const { createLocalServer, localConfig } = await import("./mod_local.ts");
      const dataDir = (name) => Deno.args[0] + "/" + name;
      const one = createServer(serverConfig({ dataDir: dataDir("one"), port: 0 }));
      const two = createLocalServer(localConfig({
        dataDir: dataDir("two"), port: 0, interfaces: ["none"], mdnsEnabled: false,
      }));
      await one.start();
      const { loopbackUrl } = await two.start();
      for (const url of [one.url, loopbackUrl]) await (await fetch(url + "/healthz")).text();
      await one.addUser("ann");
      await one.stop();
      await two.stop();
      const metrics = await register.getMetricsAsArray();
      await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({
        touched, logging: getConfig() !== null, metrics: metrics.length,
      })));`;
    const said = await runDeno("eval", program, folder);
    assertEquals(JSON.parse(said), { touched: [], logging: false, metrics: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[local 7] docs/EMBEDDING.md has every kind of event with what it tells", async () => {
  const text = await Deno.readTextFile(new URL("docs/EMBEDDING.md", ROOT));
  const table = /\| kind \| when \| with \|\n([^]*?)\n\n/.exec(text)?.[1] ?? "";
  const named = [...table.matchAll(/`(\w+\.\w+)`(?=[^|]*\|[^|]*\|[^|]*\|$)/gm)].map(([, kind]) =>
    kind
  );
  assertEquals(named, [...eventKinds]);
});
