/** Notifications of contact requests. [channels 4] */
import { assertEquals } from "@std/assert";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

const Answer = { Accept: 0 } as const;

/** Somebody with `count` unread requests of as many users. */
async function asked(server: TestServer, count: number): Promise<TestPeer> {
  const { actors } = server.server;
  const a = await server.raw("a");
  for (let index = 0; index < count; index++) {
    const other = await server.raw(`other-${index}`);
    await other.call("RequestContact", { responderId: a.userId });
    await other.close();
  }
  await actors.journal.settled();
  return a;
}

Deno.test("[channels 4.3, 4.5, 4.8] notifications come in pages of fifty, oldest first, and only when asked for", async () => {
  await using server = await startServer();
  const a = await asked(server, 53);
  const last = await a.call("GetNotifications", {});
  const ids = last.notifications.map(({ id }) => Number(id));
  assertEquals(ids, Array.from({ length: 50 }, (_, index) => index + 4));
  assertEquals(last.done, false);
  const first = await a.call("GetNotifications", { beforeId: 4n });
  assertEquals(first.notifications.map(({ id }) => id), [1n, 2n, 3n]);
  assertEquals(first.done, true);
  const none = await a.call("GetNotifications", { beforeId: 1n });
  assertEquals([none.notifications, none.done], [[], true]);
  const [one] = first.notifications;
  assertEquals([one?.kind, one?.entityId, one?.content, one?.isRead, one?.response], [
    "ContactRequest",
    a.userId + 1n,
    "{}",
    false,
    undefined,
  ]);
  assertEquals(Math.abs(Number(one?.timestamp) - Date.now() / 1000) < 600, true);
  const again = await server.raw("a");
  await again.settle();
  assertEquals(again.all("AddNotification"), []);
});

Deno.test("[channels 4.6, 4.7, Q-5] marking read is told to all connections, and is for the owner only", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await a.call("RequestContact", { responderId: b.userId });
  await stage.enter("B2");
  await stage.silence();
  const mark = { notificationId: 1n };
  assertEquals((await a.ask("MarkNotificationRead", mark)).name, "Error");
  assertEquals((await b.ask("MarkNotificationRead", { notificationId: 77n })).name, "Error");
  await stage.silence();
  await b.call("MarkNotificationRead", mark);
  const told = "AddNotification 1 ContactRequest 1 {} read";
  assertEquals(await stage.heardBy("A1", "B1", "B2"), { A1: [], B1: [told, "↩ Ack"], B2: [told] });
  await b.call("MarkNotificationRead", mark);
  assertEquals(await stage.heardBy("B1", "B2"), { B1: [told, "↩ Ack"], B2: [told] });
});

Deno.test("[channels 4.4] an unread notification is not made twice", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  const request = () => a.call("RequestContact", { responderId: b.userId });
  await request();
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Accept });
  await a.call("RemoveContact", { userId: b.userId });
  await request();
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Accept });
  await stage.quiet();
  // The acceptance of the first time is unread still.
  assertEquals(
    a.all("AddNotification").map(({ notification }) => notification?.kind),
    ["ContactRequestAccepted"],
  );
  assertEquals(
    b.all("AddNotification").map(({ notification }) => [notification?.id, notification?.isRead]),
    [[1n, false], [1n, true], [3n, false], [3n, true]],
  );
});
