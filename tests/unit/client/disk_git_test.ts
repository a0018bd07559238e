import { assertEquals, assertRejects } from "@std/assert";
import { DiskGit } from "../../../client/disk_git.ts";

async function git(folder: string, ...args: string[]): Promise<void> {
  const who = ["-c", "user.name=a", "-c", "user.email=a@localhost"];
  const { success, stderr } = await new Deno.Command("git", {
    args: [...who, ...args],
    cwd: folder,
  })
    .output();
  if (!success) throw new Error(`Failed: git ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

async function inRepository(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "parley-git-" });
  try {
    await git(folder, "init", "--quiet", "--initial-branch=main");
    for (const name of ["changed", "staged", "gone", "with space ä"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `${name}\n`);
    }
    await git(folder, "add", "--all");
    await git(folder, "commit", "--quiet", "--message=First subject");
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("[issue 7 git] a repository on the disk: what differs from the last commit, and the texts compared", async () => {
  await inRepository(async (folder) => {
    const repository = new DiskGit(folder);
    assertEquals(await repository.status(), []);
    await Deno.writeTextFile(`${folder}/changed`, "other\n");
    await Deno.writeTextFile(`${folder}/staged`, "other\n");
    await Deno.writeTextFile(`${folder}/with space ä`, "other\n");
    await Deno.writeTextFile(`${folder}/new`, "new\n");
    await git(folder, "add", "staged");
    await Deno.remove(`${folder}/gone`);
    const lines = (await repository.status()).map(({ path, index, worktree }) =>
      `${index}${worktree} ${path}`
    );
    assertEquals(lines.sort(), [" D gone", " M changed", " M with space ä", "?? new", "M  staged"]);
    assertEquals(await repository.committedText("staged"), "staged\n");
    assertEquals(await repository.stagedText("staged"), "other\n");
    assertEquals(await repository.stagedText("changed"), "changed\n");
    assertEquals(await repository.committedText("new"), undefined);
    assertEquals(await repository.stagedText("new"), undefined);
  });
});

Deno.test("[issue 7 git] branches are made and changed; what could be an option of git is no name", async () => {
  await inRepository(async (folder) => {
    const repository = new DiskGit(folder);
    await repository.createBranch("topic/one");
    const branches = await repository.branches();
    assertEquals(branches.map(({ ref, isHead, subject }) => [ref, isHead, subject]), [
      ["refs/heads/main", false, "First subject"],
      ["refs/heads/topic/one", true, "First subject"],
    ]);
    await repository.changeBranch("main");
    assertEquals(
      (await repository.branches()).find(({ isHead }) => isHead)?.ref,
      "refs/heads/main",
    );
    for (const name of ["--orphan=x", "-f", ""]) {
      await assertRejects(() => repository.createBranch(name), RangeError);
      await assertRejects(() => repository.changeBranch(name), RangeError);
    }
    await assertRejects(() => repository.changeBranch("nowhere"));
  });
});
