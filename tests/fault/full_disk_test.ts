import { assert, assertEquals } from "@std/assert";
import { openSqlite } from "../../db/sqlite/open.ts";
import { type Store, StoreUnavailableError } from "../../db/store.ts";
import { startServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

/** A store whose disk can be full: reading goes on, writing does not. */
function fullableStore(store: Store): { readonly store: Store; full: boolean } {
  const wrapped = {
    full: false,
    store: new Proxy(store, {
      get(target, name) {
        if (name === "commit" && wrapped.full) {
          return () => {
            throw new StoreUnavailableError("Cannot write to the database: the disk is full");
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  };
  return wrapped;
}

Deno.test("[design 1.3e] a full disk: nothing unsafe is spoken, health is red, the server asks to be stopped", async () => {
  const disk = fullableStore(await openSqlite({ path: ":memory:" }));
  {
    await using server = await startServer({ parts: { store: disk.store } });
    const health = async () => {
      const response = await fetch(`${server.url}/healthz`);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await health(), 200);
    const host = await server.connect("host");
    const { room } = await host.peer.request("CreateRoom", {});
    const roomId = room?.id as bigint;
    const worktrees = [{ id: 1n, rootName: "a", visible: true, absPath: "/a" }];
    const { projectId } = await host.peer.request("ShareProject", { roomId, worktrees });
    await host.peer.request("Ping", {});
    const told = host.log.all.length;

    disk.full = true;
    let answered = false;
    const tree = { projectId, worktreeId: 1n, rootName: "a", absPath: "/a", scanId: 1n };
    const outcome = host.peer.request("UpdateWorktree", { ...tree, isLastUpdate: true }).then(
      () => void (answered = true),
      (error: Error) => error.name,
    );
    const location = host.peer.request("UpdateParticipantLocation", {
      roomId,
      location: { unsharedProject: {} },
    }).then(() => void (answered = true), (error: Error) => error.name);
    const error = await server.server.failed;
    assert(error instanceof StoreUnavailableError, String(error));
    assertEquals(await health(), 503);
    // Nobody is told of what is not stored, and what is behind it waits.
    const ping = host.peer.request("Ping", {}).then(
      () => void (answered = true),
      (error: Error) => error.name,
    );
    await server.server.stop();
    assertEquals(
      await Promise.all([outcome, location, ping]),
      Array(3).fill("ConnectionClosedError"),
    );
    assertEquals(answered, false);
    assertEquals(host.log.all.slice(told).map(({ name }) => name), []);
    await waitUntil(() => host.peer.isClosed);
  }
  // The next start begins with what was stored.
  disk.full = false;
  await using server = await startServer({ parts: { store: disk.store } });
  const host = await server.connect("other");
  assertEquals((await disk.store.load("projects")).length, 1);
  const [participant] = await disk.store.load("room_participants");
  assertEquals(participant?.location_kind, "external");
  host.peer.close();
  await host.peer.closed;
  await server.server.stop();
  await disk.store.close();
});
