import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { migrationTable } from "../../db/migrations/mod.ts";
import { type Ended, ServerProcess } from "./server_process.ts";

/** It says one line that a person understands, and that it failed. */
function assertExplained({ code, errors }: Ended, ...parts: readonly string[]): void {
  assertEquals(code, 1, errors);
  const lines = errors.split("\n").filter((line) => line !== "");
  assertEquals(lines.length, 1, errors);
  for (const part of parts) assert(errors.includes(part), `"${part}" is missing in: ${errors}`);
}

Deno.test("[design 1.3e] a port in use: one line, and not 0", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  await using server = await ServerProcess.prepare([], { flags: ["--port", port] });
  assertExplained(await server.startInVain(), `127.0.0.1:${port}`, "--port");
  listener.close();
});

Deno.test("[design 1.3e] a second server on the same data: one line, and not 0; the first goes on", async () => {
  await using first = await ServerProcess.prepare(["alice"]);
  await first.start();
  await using second = await ServerProcess.prepare([], { dataDir: first.dataDir });
  assertExplained(await second.startInVain(), first.dataDir, "another Parley", "--data-dir");
  const { peer } = await first.connect("alice");
  await peer.request("Ping", {});
  peer.close();
  await peer.closed;
});

Deno.test("[design 1.3e] a database of a newer program: one line, and not 0; it stays as it is", async () => {
  await using server = await ServerProcess.prepare(["alice"]);
  const path = `${server.dataDir}/parley.sqlite`;
  const change = (sql: string) => {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  };
  change(`insert into ${migrationTable} (name, timestamp) values ('9999_later', '2099-01-01')`);
  assertExplained(await server.startInVain(), path, "newer Parley", "9999_later");
  change(`delete from ${migrationTable} where name = '9999_later'`);
  await server.start();
  const { peer } = await server.connect("alice");
  peer.close();
  await peer.closed;
});

Deno.test("[design 1.3e] a data folder that cannot be one: one line, and not 0", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-fault-" });
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    const dataDir = `${folder}/file/data`;
    await using server = await ServerProcess.prepare([], { dataDir });
    assertExplained(await server.startInVain(), dataDir, "--data-dir");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Root writes everywhere, so that there is nothing to see.
const isRoot = Deno.uid() === 0;
// deno-lint-ignore no-console
if (isRoot) console.log("Left out, since root may write anywhere: a data folder without rights");
Deno.test({
  name: "[design 1.3e] a data folder without rights: one line, and not 0",
  ignore: isRoot,
  fn: async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "parley-fault-" });
    await Deno.chmod(dataDir, 0o500);
    try {
      await using server = await ServerProcess.prepare([], { dataDir });
      assertExplained(await server.startInVain(), dataDir, "permission denied", "--data-dir");
    } finally {
      await Deno.chmod(dataDir, 0o700);
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
