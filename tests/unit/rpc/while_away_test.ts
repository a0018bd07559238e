import { assert, assertEquals } from "@std/assert";
import { routes } from "../../../rpc/routes.ts";
import { refusedWhileAway } from "../../../rpc/while_away.ts";

Deno.test("[design 1.3f] only requests with an answer are refused while the database is away", () => {
  for (const name of refusedWhileAway) {
    const route = routes.find(({ message }) => message === name);
    assertEquals(route?.treatment, "handle", name);
    assert(route!.answers.length > 0, name);
  }
});

Deno.test("[design 1.3f] what a client sends once only, or to get out, waits for the database", () => {
  const waiting = [
    "UpdateWorktree",
    "UpdateRepository",
    "RemoveRepository",
    "UpdateProject",
  ] as const;
  const leaving = ["RejoinRoom", "LeaveRoom", "UnshareProject"] as const;
  for (const name of [...waiting, ...leaving]) assert(!refusedWhileAway.has(name), name);
});
