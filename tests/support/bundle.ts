/** A bundle, and the project's files that it is made of. */
export interface Bundle {
  readonly path: string;
  readonly text: string;
  readonly inputs: readonly string[];
}

const ROOT = new URL("../..", import.meta.url);

/** Bundles an entry of the project into a folder, as a user of the library would. */
export async function bundle(
  entry: string,
  folder: string,
  platform: "browser" | "deno",
): Promise<Bundle> {
  const path = `${folder}/${entry.replaceAll("/", "_").replace(/\.ts$/, "")}.mjs`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", `--platform=${platform}`, "--output", path, entry],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
  const text = await Deno.readTextFile(path);
  // The bundler names each file before its code.
  const inputs = [...text.matchAll(/^\s*\/\/ ((?:[\w.@-]+\/)+[\w.@-]+\.[cm]?[jt]s)$/gm)];
  return { path, text, inputs: [...new Set(inputs.map(([, input]) => input!))] };
}
