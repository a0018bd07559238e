/**
 * Writes `deno.lock` from `tests/deno.lock`: only the packages of `deno.json`, without those of
 * `tests/support/packages/`. Deno downloads all that a lock file names before it starts a server.
 */
import { main, syncFile } from "./generated_files.ts";

interface Package {
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
  readonly [field: string]: unknown;
}

/** A lock file of Deno's, version 5, as far as this needs to know it. */
export interface Lock {
  readonly version: string;
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, Package>>;
  readonly workspace: { readonly dependencies: readonly string[] };
}

/** The part of a lock that the packages of the configuration need, in Deno's own form. */
export function serverLock(lock: Lock): Lock {
  const specifiers = pick(lock.specifiers, new Set(lock.workspace.dependencies));
  const needed = new Set<string>();
  const need = (id: string) => {
    if (needed.has(id)) return;
    needed.add(id);
    for (const name of dependenciesOf(lock.npm[id]!)) need(packageOf(lock, name));
  };
  for (const [specifier, version] of Object.entries(specifiers)) {
    const name = specifier.slice("npm:".length).replace(/(?<=.)@.*/, "");
    need(`${name}@${version}`);
  }
  const ids = [...needed];
  const npm = Object.fromEntries(
    Object.entries(pick(lock.npm, needed)).map(([id, one]) => [id, renamed(one, ids)]),
  );
  return { version: lock.version, specifiers, npm, workspace: lock.workspace };
}

function dependenciesOf(one: Package): readonly string[] {
  return [...one.dependencies ?? [], ...one.optionalDependencies ?? []];
}

/** A dependency is written without its version where the lock has one version only. */
function packageOf({ npm }: Lock, name: string): string {
  const id = name in npm ? name : Object.keys(npm).find((id) => id.startsWith(`${name}@`));
  if (id === undefined) {
    throw new Error(`Cannot find "${name}" in tests/deno.lock; run deno task ok types`);
  }
  return id;
}

function renamed(one: Package, ids: readonly string[]): Package {
  const short = (name: string) => {
    const bare = name.replace(/(?<=.)@.*/, "");
    return ids.filter((id) => id.startsWith(`${bare}@`)).length === 1 ? bare : name;
  };
  return {
    ...one,
    ...(one.dependencies && { dependencies: one.dependencies.map(short) }),
    ...(one.optionalDependencies &&
      { optionalDependencies: one.optionalDependencies.map(short) }),
  };
}

function pick<T>(record: Readonly<Record<string, T>>, keys: ReadonlySet<string>) {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keys.has(key)));
}

/** Writes the file, or with `check` compares it. */
export async function run(check: boolean): Promise<readonly string[]> {
  const root = new URL("..", import.meta.url);
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("tests/deno.lock", root)));
  const text = `${JSON.stringify(serverLock(lock), null, 2)}\n`;
  return await syncFile(new URL("deno.lock", root), text, check);
}

if (import.meta.main) await main("gen_lock.ts", run);
