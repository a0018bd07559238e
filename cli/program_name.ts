import { packagedExecutable } from "../lib/packaged.ts";

/** What a user types to start this program: the binary, or the task of a checkout. */
export function programName(): string {
  if (Deno.build.standalone || packagedExecutable() !== undefined) return "parley";
  // npm tells the programs that npx starts; somebody who has only Node needs it each time.
  return Deno.env.get("npm_command") === "exec" ? "npx -y deno task" : "deno task";
}
