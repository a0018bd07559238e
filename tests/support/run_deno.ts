import { assert } from "@std/assert";

const ROOT = new URL("../..", import.meta.url);

/** Runs `deno` in the project's folder, which has to succeed, and returns what it printed. */
export async function runDeno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}
