/** `pair`: the code with which another device gets in. [local 3] */
import { z } from "zod";
import type { Environment } from "../lib/read_settings.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { askServer, localDataDir } from "./local_admin.ts";
import { timeOf } from "./local_box.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `pair`. */
function pairHelp(): string {
  const name = programName();
  return `Show the code with which another device gets into the local server of this machine.

  ${name} pair              the code for a device of somebody new
  ${name} pair <login>      a code for one more device of an account
  ${name} pair --unlock     let devices try again that have typed too many wrong codes

  --json                  JSON on standard output, and nothing else there
  --data-dir <folder>     the local server's data folder`;
}

const code = z.object({ code: z.string(), expiresAt: z.number() });

/** Runs `pair`. @throws {UsageError} {ServerRefusedError} {DataDirError} */
export async function runPair(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words, switches, dataFlags } = parseCommandLine(args, ["unlock", "json", "help"]);
  if (switches.has("help")) return output.result(pairHelp());
  const [login, ...more] = words;
  if (more.length > 0 || (switches.has("unlock") && login !== undefined)) {
    throw new UsageError(`Cannot pair: give one login, or none; ${programName()} pair --help`);
  }
  const dataDir = localDataDir(dataFlags, env);
  if (switches.has("unlock")) {
    await askServer(dataDir, "POST", "pairing/unlock", z.object({}));
    return output.result(switches.has("json") ? "{}" : "All devices may try again");
  }
  const made = await askServer(
    dataDir,
    "POST",
    "pairing",
    code,
    login === undefined ? {} : { login },
  );
  const until = timeOf(made.expiresAt);
  output.result(
    switches.has("json")
      ? JSON.stringify(made)
      : `${made.code}   good until ${until}${login === undefined ? "" : `, for ${login}`}`,
  );
}
