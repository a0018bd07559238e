import { assertEquals, assertRejects } from "@std/assert";
import { DiskFiles } from "../../../client/disk_files.ts";
import { globMatcher } from "../../../client/glob.ts";
import { IgnoreRules } from "../../../client/gitignore.ts";
import { NoSuchFileError } from "../../../client/project_files.ts";
import { withFolder } from "../../support/folder.ts";

async function fill(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const at = `${folder}/${path}`;
    await Deno.mkdir(at.slice(0, at.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(at, text);
  }
}

Deno.test("[issue 3 real input] ignore rules mean what they mean to git", () => {
  const root = new IgnoreRules(
    "",
    "# comment\n*.log\n!keep.log\n/data/\nbuild/\ndocs/**/*.pdf\n\\!bang\ntrail\\ \na{b\n[ab].c\n",
  );
  const cases: [string, boolean, boolean][] = [
    ["x.log", false, true],
    ["a/b/x.log", false, true],
    ["a/keep.log", false, false],
    ["data", true, true],
    ["data", false, false],
    ["a/data", true, false],
    ["a/build", true, true],
    ["build", false, false],
    ["docs/a.pdf", false, true],
    ["docs/x/y/a.pdf", false, true],
    ["other/docs/a.pdf", false, false],
    ["!bang", false, true],
    ["trail ", false, true],
    ["a{b", false, true],
    ["a.c", false, true],
    ["c.c", false, false],
    ["# comment", false, false],
  ];
  for (const [path, isDirectory, expected] of cases) {
    assertEquals([path, root.ignores(path, isDirectory)], [path, expected]);
  }
  const inner = new IgnoreRules("sub", "!x.log\n/only-here\n", root);
  assertEquals(inner.ignores("sub/x.log", false), false);
  assertEquals(inner.ignores("sub/y.log", false), true);
  assertEquals(inner.ignores("sub/only-here", false), true);
  assertEquals(inner.ignores("sub/deep/only-here", false), false);
});

Deno.test("[projects 9.6] patterns of a search", () => {
  const matches = (glob: string, path: string) => globMatcher(glob)(path);
  assertEquals(matches("*.ts", "a/b.ts"), true);
  assertEquals(matches("*.ts", "a/b.tsx"), false);
  assertEquals(matches("src/**/x.ts", "src/x.ts"), true);
  assertEquals(matches("src/*/x.ts", "src/a/b/x.ts"), false);
  assertEquals(matches("**/*.{ts,js}", "q/a.js"), true);
  assertEquals(matches("[!a]b?", "cbx"), true);
  assertEquals(matches("node_modules/", "x/node_modules/y"), true);
  assertEquals(matches("a.b", "axb"), false);
});

Deno.test("[issue 3 real input] a folder's tree, without version control, ignored parts marked", async () => {
  await withFolder(async (folder) => {
    await fill(folder, {
      ".gitignore": "out/\n*.tmp\n",
      ".git/HEAD": "ref",
      "src/a.ts": "a",
      "src/.gitignore": "!b.tmp\n",
      "src/b.tmp": "",
      "c.tmp": "",
      "out/deep/x": "",
      "deep/.git/config": "",
      ".DS_Store": "",
    });
    await Deno.symlink("../src", `${folder}/deep/link`);
    await Deno.symlink("/etc/hostname", `${folder}/deep/out`);
    await Deno.symlink("nowhere", `${folder}/deep/broken`);
    const files = new DiskFiles(folder);
    const list = await files.list();
    const shown = list.map(({ path, isDirectory, isIgnored, externalPath }) =>
      `${path}${isDirectory ? "/" : ""}${isIgnored ? " ignored" : ""}${externalPath ? " link" : ""}`
    );
    assertEquals(shown.toSorted(), [
      ".gitignore",
      "/",
      "c.tmp ignored",
      "deep/",
      "deep/link/ link",
      "deep/out link",
      "out/ ignored",
      "src/",
      "src/.gitignore",
      "src/a.ts",
      "src/b.tmp",
    ]);
    const places = new Map(list.map(({ path }, index) => [path, index]));
    for (const [path, at] of places) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (path !== "") assertEquals([path, places.get(parent)! < at], [path, true]);
    }
    const fresh = new DiskFiles(folder);
    assertEquals((await fresh.stat("src/b.tmp"))?.isIgnored, false);
    assertEquals((await fresh.stat("out/deep/x"))?.isIgnored, true);
    assertEquals((await fresh.stat("src/a.ts"))?.isIgnored, false);
    assertEquals(await fresh.stat(".git/HEAD"), undefined);
  });
});

Deno.test("[issue 3 real input] files are written, moved and removed, and only within the folder", async () => {
  await withFolder(async (folder) => {
    const files = new DiskFiles(`${folder}/root`);
    await Deno.mkdir(`${folder}/root`);
    await Deno.writeTextFile(`${folder}/secret`, "");
    const bytes = new TextEncoder().encode("text");
    await files.write("a/b/c.txt", bytes);
    assertEquals(await files.read("a/b/c.txt"), bytes);
    await files.rename("a/b", "d/e");
    assertEquals((await files.stat("d/e/c.txt"))?.size, 4);
    await files.makeDirectory("x/y");
    assertEquals((await files.stat("x/y"))?.isDirectory, true);
    await files.remove("d");
    assertEquals(await files.stat("d"), undefined);
    await assertRejects(() => files.read("d/e/c.txt"), NoSuchFileError, '"d/e/c.txt"');
    await assertRejects(() => files.remove("d"), NoSuchFileError);
    await assertRejects(() => files.remove(""), RangeError, "root");
    await assertRejects(() => files.read("../secret"), RangeError, "within the worktree");
    await assertRejects(() => files.write("a/../../x", bytes), RangeError);
    await assertRejects(
      () => files.write(".git/hooks/x", bytes),
      RangeError,
      "no part of the project",
    );
  });
});
