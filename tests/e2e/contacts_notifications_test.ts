/** Notifications of contact requests. [channels 4] */
import { assertEquals } from "@std/assert";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

const Answer = { Accept: 0, Decline: 1, Dismiss: 3 } as const;

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

Deno.test("[channels S10, 4.5, 19g, 18e, Q-5] sixty notifications by pages; marking one read is told to all connections, then answered", async () => {
  await using server = await startServer();
  const a = await asked(server, 60);
  const page = async (beforeId?: bigint) => {
    const { notifications, done } = await a.call(
      "GetNotifications",
      beforeId === undefined ? {} : { beforeId },
    );
    const ids = notifications.map(({ id }) => Number(id));
    return [ids.length === 0 ? "" : `${ids[0]}..${ids.at(-1)} (${ids.length})`, done];
  };
  assertEquals(await page(), ["11..60 (50)", false]);
  assertEquals(await page(11n), ["1..10 (10)", true]);
  // Exactly as many as fit: only the next page knows that it is over.
  assertEquals(await page(51n), ["1..50 (50)", false]);
  assertEquals(await page(1n), ["", true]);

  const stage = new Stage(server);
  const a1 = await stage.enter("A1");
  await stage.enter("A2");
  await stage.silence();
  await a1.call("MarkNotificationRead", { notificationId: 60n });
  const { A1, A2 } = await stage.heardBy("A1", "A2");
  const line = `AddNotification 60 ContactRequest ${a.userId + 60n} {} read`;
  assertEquals([A1, A2], [[line, "↩ Ack"], [line]]);
  for (const notificationId of [61n, 0n, 2n ** 64n - 1n]) {
    await a1.ask("MarkNotificationRead", { notificationId });
  }
  assertEquals(await stage.heardBy("A1", "A2"), {
    A1: ["↩ Error 0", "↩ Error 0", "↩ Error 0"],
    A2: [],
  });
});

Deno.test("[channels 3.7d, 4.4, 19d] the answered request is marked; its asker is notified, unless he has it unread", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  const kinds = async (peer: TestPeer) =>
    (await peer.call("GetNotifications", {})).notifications
      .map(({ kind, isRead, response }) => `${kind} ${isRead} ${response}`);
  const accept = async () => {
    await a.call("RequestContact", { responderId: b.userId });
    const { userId: requesterId } = a;
    await b.call("RespondToContactRequest", { requesterId, response: Answer.Accept });
    await stage.silence();
  };
  await accept();
  assertEquals(await kinds(b), ["ContactRequest true true"]);
  assertEquals(await kinds(a), ["ContactRequestAccepted false undefined"]);
  await a.call("RemoveContact", { userId: b.userId });
  await accept();
  assertEquals(await kinds(b), ["ContactRequest true true", "ContactRequest true true"]);
  assertEquals(await kinds(a), ["ContactRequestAccepted false undefined"]);
  // One that was read is no reason to be silent.
  await a.call("MarkNotificationRead", { notificationId: 2n });
  await a.call("RemoveContact", { userId: b.userId });
  await accept();
  assertEquals(await kinds(a), [
    "ContactRequestAccepted true undefined",
    "ContactRequestAccepted false undefined",
  ]);
  // A decline tells the asker nothing more.
  await a.call("RemoveContact", { userId: b.userId });
  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Decline });
  await stage.silence();
  assertEquals((await kinds(b)).at(-1), "ContactRequest true false");
  assertEquals((await kinds(a)).length, 2);
});

Deno.test("[channels 3.8a, 4.4] a request that is taken back takes its notification along; an acceptance stays", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await a.call("RequestContact", { responderId: b.userId });
  await stage.silence();
  await a.call("RemoveContact", { userId: b.userId });
  assertEquals(await stage.heard("B1"), ["UpdateContacts not asked by a", "DeleteNotification 1"]);
  assertEquals((await b.call("GetNotifications", {})).notifications, []);
  assertEquals(await server.server.store.load("notifications"), []);

  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Accept });
  await stage.silence();
  await a.call("RemoveContact", { userId: b.userId });
  assertEquals(await stage.heard("B1"), ["UpdateContacts no contact a"]);
  const kept = await server.server.store.load("notifications");
  assertEquals(kept.map(({ kind }) => kind), ["ContactRequest", "ContactRequestAccepted"]);
});

Deno.test("[channels 19e, 3.7a] a dismissal is answered, and nobody is told", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await stage.enter("B2");
  await a.call("RequestContact", { responderId: b.userId });
  await stage.silence();
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Dismiss });
  assertEquals(await stage.heardBy("A1", "B1", "B2"), { A1: [], B1: ["↩ Ack"], B2: [] });
});
