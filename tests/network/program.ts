/** A program of this checkout on one machine of a network. */
import { denoDir } from "../support/deno_dir.ts";
import { Printing } from "../support/printing.ts";
import type { Machine } from "./machines.ts";

const ROOT = new URL("../..", import.meta.url);

/** The program, and all that it has printed. */
export class Program extends Printing {
  /** @param file TypeScript, from the root of the checkout */
  constructor(
    machine: Machine,
    file: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ) {
    super(
      machine.command(Deno.execPath(), ["run", "-A", "--no-check", file, ...args], {
        cwd: ROOT,
        // Its modules are where ours are, whatever home it is given.
        env: { DENO_DIR: denoDir, DENO_NO_UPDATE_CHECK: "1", ...env },
      }),
    );
  }
}
