import { packagedExecutable } from "../lib/packaged.ts";

/** Whether this is the binary, and no checkout. */
export function isExecutable(): boolean {
  return Deno.build.standalone || packagedExecutable() !== undefined;
}

/** What a user types to start this program: the binary, or the task of a checkout. */
export function programName(): string {
  if (isExecutable()) return "parley";
  // npm tells the programs that npx starts; somebody who has only Node needs it each time.
  return Deno.env.get("npm_command") === "exec" ? "npx -y deno task" : "deno task";
}
