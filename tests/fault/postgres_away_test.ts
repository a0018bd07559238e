import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { StoreAwayError } from "../../db/store.ts";
import { TestPostgres } from "../support/postgres.ts";
import { startServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

/** A PostgreSQL of this test's own, which it may crash; undefined with a word where there is none. */
async function ownPostgres(): Promise<TestPostgres | undefined> {
  Deno.env.delete("PARLEY_TEST_POSTGRES_URL");
  const postgres = await TestPostgres.start();
  return typeof postgres === "string" ? undefined : postgres;
}

const postgres = await ownPostgres();
const skipped = postgres === undefined ? " (skipped: no PostgreSQL on this machine)" : "";
if (postgres !== undefined) Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

Deno.test({
  name:
    "[design 1.3f] PostgreSQL crashes and comes back: what waits is stored and said then, what " +
    `passes through goes on, other requests get an error${skipped}`,
  ignore: postgres === undefined,
  fn: async () => {
    const database = await postgres!.create();
    {
      await using server = await startServer({
        flags: ["--database-url", postgres!.urlOf(database)],
      });
      const health = async () => {
        const response = await fetch(`${server.url}/healthz`);
        return [response.status, await response.text()] as const;
      };
      assertEquals(await health(), [200, "ok"]);
      const host = await server.connect("host");
      const other = await server.connect("other");
      const { room } = await host.peer.request("CreateRoom", {});
      const roomId = room?.id as bigint;
      const worktrees = [{ id: 1n, rootName: "a", visible: true, absPath: "/a" }];
      const { projectId } = await host.peer.request("ShareProject", { roomId, worktrees });
      const tree = { projectId, worktreeId: 1n, rootName: "a", absPath: "/a" };
      await host.peer.request("UpdateWorktree", { ...tree, scanId: 1n, isLastUpdate: true });

      await postgres!.crash();
      let answered = false;
      const update = host.peer.request("UpdateWorktree", {
        ...tree,
        scanId: 2n,
        isLastUpdate: true,
      })
        .then(() => void (answered = true));
      await waitUntil(() => server.server.actors.journal.away);
      const [status, text] = await health();
      assertEquals(status, 503);
      assertMatch(text, /away/);
      // Of others nothing waits before it, so that they hear at once.
      const error = await assertRejects(() => other.peer.request("CreateRoom", {}), Error);
      assertMatch(error.message, /out of reach, try again/);
      await other.peer.request("Ping", {});
      assert(!answered, "nothing is said that is not stored");

      await postgres!.restart();
      await update;
      await waitUntil(async () => (await health())[0] === 200);
      await other.peer.request("CreateRoom", {});
      // What was acknowledged is there, before and after.
      const rows = await server.server.store.load("worktrees");
      assertEquals(rows.map((row) => row.scan_id), [2n]);
    }
    await postgres!.drop(database);
  },
});

Deno.test({
  name:
    `[design 1.3f] a store says that PostgreSQL is away, and works again when it is back${skipped}`,
  ignore: postgres === undefined,
  fn: async () => {
    const database = await postgres!.create();
    const store = await postgres!.open(database);
    const counter = (value: number) =>
      [{
        actor: "/a",
        writes: [{ op: "put", table: "counters", row: { name: "room", value } }],
      }] as const;
    assertEquals(await store.commit(counter(1)), []);
    await postgres!.crash();
    for (const ask of [() => store.ping(), () => store.user(1), () => store.allUsers()]) {
      await assertRejects(ask, StoreAwayError, "check that PostgreSQL runs");
    }
    await assertRejects(async () => void await store.commit(counter(2)), StoreAwayError);
    await postgres!.restart();
    assertEquals(await store.commit(counter(2)), []);
    assertEquals(await store.load("counters"), [{ name: "room", value: 2 }]);
    await store.createUser({ login: "alice", admin: false });
    await store.close();
    await postgres!.drop(database);
  },
});
