/** Where the Deno that runs the tests keeps its modules, for programs that are given another home. */
export const denoDir: string = Deno.env.get("DENO_DIR") ?? await asked();

async function asked(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
