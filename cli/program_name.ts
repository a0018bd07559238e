/** What a user types to start this program: the binary, or the task of a checkout. */
export function programName(): string {
  return Deno.build.standalone ? "parley" : "deno task";
}
