import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runCopy } from "../../cli/copy_to_postgres.ts";
import { runMigrate } from "../../cli/migrate.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { StoreUnavailableError } from "../../db/store.ts";
import { TestPostgres } from "../support/postgres.ts";
import { commit, load, put, sampleRow, tableNames } from "./store_rows.ts";

const found = await TestPostgres.start();
const postgres = typeof found === "string" ? undefined : found;
const skipped = typeof found === "string" ? ` (skipped: ${found})` : "";
if (postgres !== undefined) Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

/** What a command has said. */
function listening() {
  const said: string[] = [];
  const hear = (text: string) => void said.push(text);
  return { said, output: { result: hear, note: hear } };
}

Deno.test({
  name: `[issue 4 postgres] an installation is copied whole, and goes on counting${skipped}`,
  ignore: postgres === undefined,
  fn: async () => {
    const dataDir = await Deno.makeTempDir();
    const database = await postgres!.create({ empty: true });
    const args = [postgres!.urlOf(database), `--data-dir=${dataDir}`];
    const { said, output } = listening();
    await assertRejects(() => runCopy(args, {}, output), Error, "no such file");
    const source = await openSqlite({ path: `${dataDir}/parley.sqlite` });
    const name = "it's \0 \\ {\"}";
    await source.createUser({ login: "alice", admin: true, name });
    await source.createUser({ login: "bob", admin: false });
    const { id } = await source.createUser({ login: "gone", admin: false });
    await source.removeUser(id);
    const token = await source.createAccessToken(
      { userId: 1, impersonatorId: null, hash: "h" },
      8,
    );
    await source.signIn.secret("key", new Uint8Array([0, 255]));
    await source.startEpoch();
    const rows = new Map(tableNames.map((table) => [table, sampleRow(table)]));
    for (const [table, row] of rows) await commit(source, put(table, row));
    await source.close();

    await runCopy(args, {}, output);
    assertMatch(said.at(-1)!, /users: 2[^]*all counts agree/);
    const copy = await postgres!.open(database);
    for (const [table, row] of rows) assertEquals(await load(copy, table), [row], table);
    assertEquals((await copy.user(1))?.name, name);
    assertEquals(await copy.accessToken(token.id), token);
    assertEquals(await copy.signIn.secret("key", new Uint8Array()), new Uint8Array([0, 255]));
    assertEquals(await copy.startEpoch(), 2);
    assertEquals((await copy.createUser({ login: "carl", admin: false })).id, 4);
    await copy.close();
    const again = await assertRejects(() => runCopy(args, {}, output), StoreUnavailableError);
    assertMatch(again.message, /there are rows in users.*create an empty one/);
    await postgres!.drop(database);
    await Deno.remove(dataDir, { recursive: true });
  },
});

Deno.test({
  name: `[issue 4 run] migrate says what is missing and applies it (postgres)${skipped}`,
  ignore: postgres === undefined,
  fn: async () => {
    const database = await postgres!.create({ empty: true });
    const flag = `--database-url=${postgres!.urlOf(database)}`;
    await migrates([flag, "--data-dir=/nowhere"]);
    await postgres!.drop(database);
  },
});

Deno.test("[issue 4 run] migrate says what is missing and applies it (sqlite)", async () => {
  const dataDir = await Deno.makeTempDir();
  await migrates([`--data-dir=${dataDir}`]);
  await Deno.remove(dataDir, { recursive: true });
});

async function migrates(flags: readonly string[]): Promise<void> {
  const { said, output } = listening();
  const migrate = async (...words: string[]) => {
    await runMigrate([...words, ...flags], {}, output);
    return said.at(-1)!;
  };
  assertMatch(await migrate("status"), /^pending {2}0001_/);
  assertMatch(await migrate("up", "--dry-run"), /^Would apply 0001_/);
  assertMatch(await migrate("status"), /^pending {2}0001_/);
  assertMatch(await migrate("up"), /^Applied 0001_/);
  assertMatch(await migrate("up"), /^The database is up to date$/);
  assertEquals(JSON.parse(await migrate("status", "--json")).pending, []);
}
