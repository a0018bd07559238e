import { assert } from "@std/assert";
import { PROXY_VARIABLES } from "../../client/node/proxy.ts";

const ROOT = new URL("../..", import.meta.url);

/** For programs that look for a server of this machine: the environment without a network's proxy. */
export const WITHOUT_PROXY = {
  clearEnv: true,
  env: Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !PROXY_VARIABLES.includes(name)),
  ),
};

/** Runs `deno` in the project's folder, which has to succeed, and returns what it printed. */
export async function runDeno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    ...WITHOUT_PROXY,
    args,
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}
