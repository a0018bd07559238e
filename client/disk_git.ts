/** A repository of this machine's disk, by the program `git`; for Deno and Node. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { GitBranch, GitStatusLine, ProjectGit } from "./project_git.ts";

const run = promisify(execFile);
/** Bytes that one answer of git may have. */
const MAX_OUTPUT = 64 * 1024 * 1024;
const FIELDS = ["%(refname)", "%(HEAD)", "%(objectname)", "%(committerdate:unix)", "%(subject)"];

/** The repository whose folder this is. */
export class DiskGit implements ProjectGit {
  readonly absPath: string;

  /** @param folder path of a repository's folder. */
  constructor(folder: string) {
    this.absPath = folder;
  }

  async branches(): Promise<GitBranch[]> {
    const text = await this.#git("for-each-ref", `--format=${FIELDS.join("%00")}`, "refs/heads/");
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const [ref = "", head, commit = "", timestamp, subject = ""] = line.split("\0");
      return { ref, isHead: head === "*", commit, subject, timestamp: Number(timestamp) };
    });
  }

  async status(): Promise<GitStatusLine[]> {
    const text = await this.#git("status", "--porcelain=v1", "-z", "--no-renames", "-uall");
    return text.split("\0").filter((line) => line !== "").map((line) => ({
      path: line.slice(3),
      index: line[0] as string,
      worktree: line[1] as string,
    }));
  }

  committedText(path: string): Promise<string | undefined> {
    return this.#show(`HEAD:${path}`);
  }

  stagedText(path: string): Promise<string | undefined> {
    return this.#show(`:0:${path}`);
  }

  async createBranch(name: string): Promise<void> {
    await this.#git("switch", "--quiet", "--create", checked(name));
  }

  async changeBranch(name: string): Promise<void> {
    await this.#git("switch", "--quiet", checked(name));
  }

  /** Also a path that git does not know is no error here. */
  async #show(object: string): Promise<string | undefined> {
    const isThere = await this.#git("cat-file", "-e", object).then(() => true, () => false);
    return isThere ? await this.#git("cat-file", "blob", object) : undefined;
  }

  async #git(...args: string[]): Promise<string> {
    const options = { cwd: this.absPath, maxBuffer: MAX_OUTPUT, encoding: "utf8" } as const;
    const { stdout } = await run("git", ["--no-optional-locks", ...args], options);
    return stdout;
  }
}

/** A guest gives the name: none may be taken for an option. */
function checked(name: string): string {
  if (name === "" || name.startsWith("-")) {
    throw new RangeError(`Not the name of a branch: ${JSON.stringify(name)}`);
  }
  return name;
}
