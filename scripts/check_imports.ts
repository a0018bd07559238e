// deno-lint-ignore-file no-console
/**
 * Checks which file may import what: the direction between folders, drivers behind their ports,
 * packages in their one place, public faces of actor kinds, no cycles. DESIGN section 2.
 *
 *     deno run -A scripts/check_imports.ts
 */

/** From the ground up: a place may import those on lower steps, and itself. */
const STEPS: readonly (readonly string[])[] = [
  ["lib", "version.ts"],
  ["proto"],
  ["rpc"],
  ["text", "db", "media", "local", "cluster"],
  ["actors"],
  ["http"],
  ["server.ts"],
  ["local_server.ts"],
  ["mod.ts"],
  ["mod_local.ts"],
  ["cli"],
  ["main.ts"],
];

/** Places beside the steps, with what they may import besides themselves. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  client: ["lib", "proto", "rpc", "text"],
  web: ["client"],
};

/** Tools and tests reach for everything, but nothing of the product reaches for them. */
const OUTSIDE: ReadonlySet<string> = new Set(["tests", "bench", "scripts", "examples"]);

/** Files of a port's folder that everybody above may import; the rest of the folder are drivers. */
const PORTS: Readonly<Record<string, (rest: string) => boolean>> = {
  db: (rest) => !rest.includes("/"),
  media: (rest) => rest === "port.ts",
  local: (rest) => rest === "port.ts",
  cluster: (rest) => rest === "port.ts",
};

const DRIVER_USERS: ReadonlySet<string> = new Set(["server.ts", "local_server.ts", "cli"]);

/** Packages with one home. `of` tells whether a product file may import it. */
const PACKAGES: readonly { readonly name: RegExp; readonly of: (file: string) => boolean }[] = [
  {
    name: /^xstate(?:\/|$)/,
    of: (file) =>
      /^(?:actors|client)\/(?:.*\/)?machine\.ts$/.test(file) ||
      file === "actors/supervisor.ts" || file === "actors/registry.ts",
  },
  { name: /^(?:protobufjs|long)(?:\/|$)/, of: (file) => file.startsWith("proto/") },
  { name: /^node:sqlite$/, of: (file) => file.startsWith("db/sqlite/") },
  { name: /^postgres$/, of: (file) => file.startsWith("db/postgres/") },
  { name: /^kysely(?:\/|$)/, of: (file) => file.startsWith("db/") },
  { name: /^stripe(?:\/|$)/, of: (file) => file === "http/billing/stripe.ts" },
  { name: /^livekit-server-sdk(?:\/|$)/, of: (file) => file.startsWith("media/") },
  { name: /^@nats-io\//, of: (file) => file.startsWith("cluster/") },
  {
    name: /^@std\/http(?:\/|$)|^node:(?:http2?|https|net|tls)$/,
    of: (f) => !f.startsWith("actors/"),
  },
  { name: /^@std\/assert(?:\/|$)|^fast-check$/, of: () => false },
];

/** What the text of a product file may not hold, outside comments and strings. */
const WORDS: readonly {
  readonly word: RegExp;
  readonly of: (file: string) => boolean;
  readonly message: string;
}[] = [
  {
    word: /\bDeno\s*\.\s*upgradeWebSocket\b/,
    of: (file) => file === "http/upgrade.ts",
    message: "calls Deno.upgradeWebSocket, which only http/upgrade.ts does",
  },
  {
    word: /\bDeno\s*[.[]/,
    of: (file) => !file.startsWith("actors/"),
    message: "uses Deno, which actors reach through ports only",
  },
];

/** Material that lies beside a checkout of the developers and in no other. */
const PRIVATE_FOLDER = ["", "work", "shared"].join("/");

interface Import {
  readonly specifier: string;
  /** Erased by the compiler, so that it cannot make a cycle at run time. */
  readonly isType: boolean;
}

/** The imports of a formatted source: statements begin a line, strings have double quotes. */
export function importsOf(source: string): Import[] {
  const found: Import[] = [];
  const statement =
    /^(?:import|export)\s+(type\s+)?(?:((?:\*(?:\s+as\s+\w+)?|[\w$]+(?:\s*,\s*\{[^}]*\})?|\{[^}]*\}))\s+from\s+)?"([^"\n]+)"/gm;
  for (const [, type, names, specifier] of source.matchAll(statement)) {
    found.push({ specifier: specifier as string, isType: type !== undefined || allTypes(names) });
  }
  for (const [, specifier] of source.matchAll(/\bimport\(\s*"([^"\n]+)"/g)) {
    found.push({ specifier: specifier as string, isType: false });
  }
  return found;
}

function allTypes(names: string | undefined): boolean {
  if (!names?.startsWith("{")) return false;
  const list = names.slice(1, -1).split(",").map((name) => name.trim()).filter(Boolean);
  return list.length > 0 && list.every((name) => name.startsWith("type "));
}

/** The code without comments, and without what stands in its strings. */
export function bare(source: string): string {
  return source.replaceAll(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (match) => match.startsWith("/") ? "" : '""',
  );
}

/** The top folder of a file, or the file itself at the root. */
function placeOf(file: string): string {
  return file.split("/", 1)[0] as string;
}

/** The step of a place; -1 beside the steps. */
function stepOf(place: string): number {
  return STEPS.findIndex((places) => places.includes(place));
}

function isDriver(file: string): boolean {
  const place = placeOf(file);
  const isPort = PORTS[place];
  return isPort !== undefined && !isPort(file.slice(place.length + 1));
}

/** The file that a relative specifier means; `undefined` when it leaves the project. */
function target(file: string, specifier: string): string | undefined {
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Why `from` may not import the project's file `to`; `undefined` when it may. */
function refusal(from: string, to: string): string | undefined {
  // The version stands there and nowhere else.
  if (to === "deno.json") return undefined;
  const place = placeOf(from);
  const other = placeOf(to);
  if (OUTSIDE.has(place)) {
    // The demo is an end-to-end test that people watch.
    const isTest = place === "tests" || place === "bench" || from === "scripts/demo.ts";
    const isTestHelp = other === "tests" && !isTest;
    return isTestHelp ? "only tests and benches import tests/" : undefined;
  }
  if (OUTSIDE.has(other)) return `nothing of the product imports ${other}/`;

  const beside = BESIDE[place];
  if (beside) {
    if (other !== place && !beside.includes(other)) {
      return `${place}/ imports only ${beside.map((name) => `${name}/`).join(", ")}`;
    }
    if (/^rpc\/routes(?:\.ts$|\/)/.test(to)) return "the routes are the server's";
    return undefined;
  }
  if (BESIDE[other]) {
    const isClient = place === "cli" && other === "client";
    return isClient ? undefined : `the server does not import ${other}/`;
  }

  const step = stepOf(place);
  const below = stepOf(other);
  if (step < 0) return `${place} has no place in the order of folders`;
  if (below < 0) return `${other} has no place in the order of folders`;
  if (place !== other && below >= step) return `${place} stands below ${other}`;
  if (isDriver(to) && !DRIVER_USERS.has(place) && !(place === other && isDriver(from))) {
    return "drivers are named by server.ts and cli/ only";
  }
  const [, kind, file] = /^actors\/([^/]+)\/(.+)$/.exec(to) ?? [];
  if (kind !== undefined && file !== "mod.ts" && !from.startsWith(`actors/${kind}/`)) {
    return `actors/${kind}/ is imported through its mod.ts`;
  }
  return undefined;
}

/** All cycles of value imports, each once, as lists of files. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of [...graph.keys()].sort()) visit(file);
  return found;
}

/**
 * Checks a tree of sources by path.
 *
 * @returns One line per violation.
 */
export function checkTree(files: ReadonlyMap<string, string>): string[] {
  const errors: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, source] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    const isProduct = !OUTSIDE.has(placeOf(file));
    const edges: string[] = [];
    for (const { specifier, isType } of importsOf(source)) {
      if (!/^\.{1,2}\//.test(specifier)) {
        const reason = isProduct ? packageRefusal(file, specifier) : undefined;
        if (reason) errors.push(`${file}: imports "${specifier}": ${reason}`);
        continue;
      }
      const to = target(file, specifier);
      const reason = to === undefined ? "it leaves the project" : refusal(file, to);
      if (reason) errors.push(`${file}: imports "${specifier}": ${reason}`);
      if (to !== undefined && !isType) edges.push(to);
    }
    graph.set(file, edges);
    if (source.includes(PRIVATE_FOLDER)) {
      errors.push(`${file}: names ${PRIVATE_FOLDER}, which is not part of the project`);
    }
    if (!isProduct) continue;
    const code = bare(source);
    for (const { word, of, message } of WORDS) {
      if (!of(file) && word.test(code)) errors.push(`${file}: ${message}`);
    }
  }
  for (const cycle of cycles(graph)) errors.push(`Cycle: ${cycle.join(" -> ")}`);
  return errors;
}

function packageRefusal(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("/") || specifier.startsWith("file:")) return "it leaves the project";
  const name = specifier.replace(/^(?:npm|jsr):\/?/, "").replace(/(?<=.)@\d[^/]*/, "");
  const home = PACKAGES.find((entry) => entry.name.test(name));
  return home && !home.of(file) ? "this package has its home elsewhere" : undefined;
}

/** The paths of all sources under a folder; `.` is the root. */
export async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts")) yield path;
  }
}

/** Checks the working tree; prints what is wrong and returns whether nothing is. */
export async function run(): Promise<boolean> {
  const files = new Map<string, string>();
  for await (const file of sources(".")) files.set(file, await Deno.readTextFile(file));
  const errors = checkTree(files);
  for (const error of errors) console.error(error);
  return errors.length === 0;
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  Deno.exit(await run() ? 0 : 1);
}
