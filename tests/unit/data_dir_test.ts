import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DataDirError, isDataDirLocked, lockDataDir, makeDataDir } from "../../lib/data_dir.ts";
import { startServer } from "../support/server.ts";
import { withFolder } from "../support/folder.ts";
import { waitUntil } from "../support/wait_until.ts";

/** A program that another test starts just then has all that is open here, for a moment. */
async function isFree(path: string): Promise<void> {
  await waitUntil(async () => !await isDataDirLocked(path), { describe: "the lock to be gone" });
}

Deno.test("[issue 3 run] the data folder is made with its parents, private to its owner", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a/b`;
    await makeDataDir(path);
    await makeDataDir(path);
    const { mode } = await Deno.stat(path);
    if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o700);
  });
});

Deno.test("[issue 3 run] two servers never share a database file, whatever their data folders", async () => {
  await withFolder(async (folder) => {
    const start = (name: string, database?: string) =>
      startServer({
        dataDir: `${folder}/${name}`,
        flags: ["--database-url", `sqlite:${folder}/${database ?? `${name}/parley.sqlite`}`],
      });
    const taken = (error: Error) =>
      assertMatch(error.message, /Cannot use the database .*: another Parley is running on it/);
    {
      await using _a = await start("a");
      taken(await assertRejects(() => start("b", "a/parley.sqlite"), DataDirError));
      await using _b = await start("b", "b/other.sqlite");
      taken(await assertRejects(() => start("c", "b/other.sqlite"), DataDirError));
      await Deno.symlink(`${folder}/b/other.sqlite`, `${folder}/linked.sqlite`);
      taken(await assertRejects(() => start("c", "linked.sqlite"), DataDirError));
    }
    await using _c = await start("c", "linked.sqlite");
  });
});

Deno.test("[issue 3 run] two servers never share a data folder", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/data`;
    assertEquals(await isDataDirLocked(path), false);
    const first = await lockDataDir(path);
    assertEquals(first.path, path);
    assertEquals(await isDataDirLocked(path), true);
    const error = await assertRejects(() => lockDataDir(path, { patience: 60 }), DataDirError);
    assertMatch(error.message, /another Parley is running on it.*--data-dir/);
    first.release();
    first.release();
    await isFree(path);
    const second = await lockDataDir(path);
    second.release();
  });
});

Deno.test("[issue 3 run] a start waits for a lock that is about to go", async () => {
  await withFolder(async (folder) => {
    const first = await lockDataDir(folder);
    const second = lockDataDir(folder, { patience: 5_000 });
    setTimeout(() => first.release(), 60);
    (await second).release();
  });
});

Deno.test("[issue 3 run] the lock of a killed server is gone with it", async () => {
  await withFolder(async (folder) => {
    const module = new URL("../../lib/data_dir.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { lockDataDir } from ${JSON.stringify(module)};
         await lockDataDir(${JSON.stringify(folder)});
         console.log("locked");
         setInterval(() => {}, 1000);`,
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assertEquals(await isDataDirLocked(folder), true);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await isFree(folder);
    (await lockDataDir(folder)).release();
  });
});

Deno.test("[issue 3 run] a data folder that cannot be is refused with its path and what to do", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "");
    for (const path of [file, `${file}/below`]) {
      const error = await assertRejects(() => lockDataDir(path), DataDirError);
      assertMatch(error.message, new RegExp(`${path}.*--data-dir`));
    }
    // A folder in the lock's place stands for one that cannot be written, also to root.
    await Deno.mkdir(`${folder}/parley.lock`);
    for (const use of [lockDataDir, isDataDirLocked]) {
      const error = await assertRejects(() => use(folder), DataDirError);
      assertMatch(error.message, /Cannot write to the data folder/);
    }
  });
});
