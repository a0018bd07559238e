/** How generators write what they make, or compare it with what is there. */

/**
 * Makes the files of `folder` that end on `suffix` be exactly `wanted` (those below it stay), or
 * with `check` only compares. Returns the names of those that differ.
 */
export async function syncFolder(
  folder: URL,
  suffix: string,
  wanted: ReadonlyMap<string, string>,
  check: boolean,
): Promise<readonly string[]> {
  const stale: string[] = [];
  await Deno.mkdir(folder, { recursive: true });
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.isFile || !entry.name.endsWith(suffix) || wanted.has(entry.name)) continue;
    stale.push(entry.name);
    if (!check) await Deno.remove(new URL(entry.name, folder));
  }
  for (const [name, text] of wanted) {
    stale.push(...await syncFile(new URL(name, folder), text, check));
  }
  return stale;
}

/** The same for one file. */
export async function syncFile(
  file: URL,
  wanted: string,
  check: boolean,
): Promise<readonly string[]> {
  if (await textOf(file) === wanted) return [];
  if (!check) await Deno.writeTextFile(file, wanted);
  return [file.pathname.slice(file.pathname.lastIndexOf("/") + 1)];
}

/** Runs a generator as a command: `--check` fails when something is stale. */
export async function main(
  script: string,
  generate: (check: boolean) => Promise<readonly string[]>,
): Promise<void> {
  const check = Deno.args.includes("--check");
  const stale = await generate(check);
  if (!check || stale.length === 0) return;
  const text = `Stale: ${stale.join(", ")}. Run: deno run -A scripts/${script}\n`;
  await Deno.stderr.write(new TextEncoder().encode(text));
  Deno.exit(1);
}

async function textOf(url: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
