/** Writes `docs/CONFIGURATION.md` from the table in `lib/settings_table.ts`. */
import { configDocument } from "../lib/config.ts";

/**
 * Brings the document up to date.
 *
 * @param check only look, and write nothing.
 * @returns false if the file was not up to date.
 */
export async function run(check: boolean): Promise<boolean> {
  const file = new URL("../docs/CONFIGURATION.md", import.meta.url);
  const wanted = configDocument();
  const found = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (found === wanted) return true;
  if (!check) await Deno.writeTextFile(file, wanted);
  return false;
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  if (!await run(check) && check) Deno.exit(1);
}
