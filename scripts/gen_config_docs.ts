/** Writes `docs/CONFIGURATION.md` from the table in `lib/settings_table.ts`. */
import { configDocument } from "../lib/config.ts";
import { main, syncFile } from "./generated_files.ts";

/** Writes the document, or with `check` only compares it. Returns its name when it differs. */
export function run(check: boolean): Promise<readonly string[]> {
  const file = new URL("../docs/CONFIGURATION.md", import.meta.url);
  return syncFile(file, configDocument(), check);
}

if (import.meta.main) await main("gen_config_docs.ts", run);
