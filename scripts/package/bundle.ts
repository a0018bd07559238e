/** One JavaScript file of the whole program, without anything to be loaded beside it. */
import { fromFileUrl } from "./paths.ts";

/** Bundles `main.ts` into `output`. Fails when Deno's bundler does, with its words. */
export async function bundleProgram(output: string): Promise<void> {
  const main = fromFileUrl(new URL("../../main.ts", import.meta.url));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "--output", output, main],
    cwd: fromFileUrl(new URL("../../", import.meta.url)),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`The program could not be bundled: ${new TextDecoder().decode(stderr).trim()}`);
  }
}
