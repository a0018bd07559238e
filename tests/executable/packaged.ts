/** The package of this checkout, made once for all tests of a file. */
import { makePackage } from "../../scripts/package.ts";

/** A package in a folder of its own. */
export class Packaged implements AsyncDisposable {
  private constructor(readonly folder: string, readonly hash: string) {}

  static async make(): Promise<Packaged> {
    const folder = await Deno.makeTempDir({ prefix: "parley-package-" });
    return new Packaged(folder, await makePackage(`${folder}/parley`));
  }

  get path(): string {
    return `${this.folder}/parley`;
  }

  /** The command in this root, with its own home and cache folder. */
  command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
    return new Deno.Command(this.path, {
      args: [...args],
      env: { HOME: this.folder, ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
