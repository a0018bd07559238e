/** Contacts: asking, answering, removing, and who hears of it. [channels 3] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const Answer = { Accept: 0, Decline: 1, Block: 2, Dismiss: 3 } as const;

Deno.test("[channels S1, 3.6.4, 3.7e, 19c, 19d, 1.5a] a request and its acceptance, on all connections of both", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  await stage.enter("A2");
  const b = await stage.enter("B1");
  await stage.silence();
  await a.call("RequestContact", { responderId: b.userId });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["UpdateContacts asking b", "↩ Ack"],
    A2: ["UpdateContacts asking b"],
    B1: ["UpdateContacts asked by a", "AddNotification 1 ContactRequest 1 {} unread"],
  });
  // Once more, and the answer to one's own request.
  assertEquals((await a.ask("RequestContact", { responderId: b.userId })).name, "Error");
  const own = { requesterId: b.userId, response: Answer.Accept };
  assertEquals((await a.ask("RespondToContactRequest", own)).name, "Error");
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Error 0", "↩ Error 0"],
    A2: [],
    B1: [],
  });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: Answer.Accept });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: [
      "UpdateContacts b online free, not asking b",
      "AddNotification 2 ContactRequestAccepted 2 {} unread",
    ],
    A2: [
      "UpdateContacts b online free, not asking b",
      "AddNotification 2 ContactRequestAccepted 2 {} unread",
    ],
    B1: [
      "UpdateContacts a online free, not asked by a",
      "AddNotification 1 ContactRequest 1 {} read yes",
      "↩ Ack",
    ],
  });
  await server.server.actors.journal.settled();
  assertEquals(
    (await server.server.store.contactsOf(1)).map(({ user_id_a, user_id_b, a_to_b, accepted }) => [
      user_id_a,
      user_id_b,
      a_to_b,
      accepted,
    ]),
    [[1, 2, true, true]],
  );
});

Deno.test("[channels S2, 3.7c, 18c] a declined or blocked request goes, on both sides", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await stage.enter("A1");
  const b = await stage.enter("B1");
  const c = await stage.enter("C1");
  for (const response of [Answer.Decline, Answer.Block]) {
    await c.call("RequestContact", { responderId: b.userId });
    await stage.silence();
    await b.call("RespondToContactRequest", { requesterId: c.userId, response });
    const { B1, C1 } = await stage.heardBy("B1", "C1");
    assertEquals(C1, ["UpdateContacts not asking b"]);
    assertEquals(B1.map((line) => line.replace(/ \d+ C/, " C")), [
      "UpdateContacts not asked by c",
      "AddNotification ContactRequest 3 {} read no",
      "↩ Ack",
    ]);
    const again = { requesterId: c.userId, response };
    assertEquals((await b.ask("RespondToContactRequest", again)).name, "Error");
    assertEquals(await stage.heard("C1"), []);
  }
});

Deno.test("[channels S2, 3.8, 19f] a request that is taken back goes with its notification", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await stage.enter("A1");
  const b = await stage.enter("B1");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: b.userId });
  await stage.silence();
  await c.call("RemoveContact", { userId: b.userId });
  assertEquals(await stage.heardBy("B1", "C1"), {
    B1: ["UpdateContacts not asked by c", "DeleteNotification 1"],
    C1: ["UpdateContacts not asking b", "↩ Ack"],
  });
  assertEquals((await c.ask("RemoveContact", { userId: b.userId })).name, "Error");
  assertEquals((await b.call("GetNotifications", {})).notifications, []);
});

Deno.test("[channels S2, 3.6.2, QUIRK 2] two who ask each other are contacts, told as an acceptance", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  await stage.enter("B1");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: a.userId });
  await stage.silence();
  await a.call("RequestContact", { responderId: c.userId });
  assertEquals(await stage.heardBy("A1", "C1"), {
    A1: [
      "UpdateContacts c online free, not asked by c",
      "AddNotification 1 ContactRequest 3 {} read yes",
      "↩ Ack",
    ],
    C1: ["UpdateContacts a online free, not asking a"],
  });
  for (const [name, other] of [["A2", "c"], ["C2", "a"]] as const) {
    await stage.enter(name);
    assertEquals(await stage.heard(name), [`UpdateContacts ${other} online free`]);
  }
});

Deno.test("[channels S2, 3.8, 18d, 19f] a removed contact is gone for both, and cannot be removed twice", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  await a.call("RemoveContact", { userId: b.userId });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["UpdateContacts no contact b", "↩ Ack"],
    B1: ["UpdateContacts no contact a"],
  });
  assertEquals((await a.ask("RemoveContact", { userId: b.userId })).name, "Error");
  assertEquals((await b.ask("RemoveContact", { userId: a.userId })).name, "Error");
  assertEquals((await b.ask("RemoveContact", { userId: 99n })).name, "Error");
  assertEquals(await server.server.store.contactsOf(Number(a.userId)), []);
  // Presence is told to contacts only.
  await b.call("CreateRoom", {});
  assertEquals(await stage.heard("A1"), ["↩ Error 0"]);
});

Deno.test("[channels QUIRK 3, 3.8] removing what another one asks for updates the lists of that direction", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await a.call("RequestContact", { responderId: b.userId });
  await stage.silence();
  await b.call("RemoveContact", { userId: a.userId });
  const { A1, B1 } = await stage.heardBy("A1", "B1");
  assertEquals(A1, ["UpdateContacts not asking b"]);
  assertEquals([B1[0], B1.at(-1)], ["UpdateContacts not asked by a", "↩ Ack"]);
});

Deno.test("[channels S2, 3.7a] dismissing: what is pending by the asked one, what is accepted by the asker", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const b = await stage.enter("B1");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: b.userId });
  await stage.silence();
  const respond = async (who: typeof b, requesterId: bigint, response: number) =>
    (await who.ask("RespondToContactRequest", { requesterId, response })).name;
  assertEquals(await respond(c, b.userId, Answer.Dismiss), "Error");
  assertEquals(await respond(b, c.userId, Answer.Dismiss), "Ack");
  assertEquals(await stage.heardBy("B1", "C1"), { B1: ["↩ Ack"], C1: ["↩ Error 0"] });
  await stage.enter("B2");
  assertEquals(await stage.heard("B2"), ["UpdateContacts asked by c"]);
  assertEquals(await respond(b, c.userId, Answer.Accept), "Ack");
  assertEquals(await respond(b, c.userId, Answer.Dismiss), "Error");
  assertEquals(await respond(c, b.userId, Answer.Dismiss), "Ack");
  assertEquals(await respond(b, 99n, Answer.Dismiss), "Error");
});

Deno.test("[channels 3.6.1, 3.7b, 18b, 18c] nobody asks himself or a stranger, or accepts what nobody asked", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const ask = async (responderId: bigint) => (await a.ask("RequestContact", { responderId })).name;
  assertEquals(await ask(a.userId), "Error");
  assertEquals(await ask(99n), "Error");
  assertEquals(await ask(0n), "Error");
  assertEquals(await ask((1n << 64n) - 1n), "Error");
  assertEquals(await ask(b.userId), "Error");
  const accept = { requesterId: 99n, response: Answer.Accept };
  assertEquals((await a.ask("RespondToContactRequest", accept)).name, "Error");
  assertEquals(await stage.heard("B1"), []);
});

Deno.test("[channels 3.7b] accepting twice does no harm; the asker cannot accept for the other", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const accept = (requesterId: bigint) => ({ requesterId, response: Answer.Accept });
  assertEquals((await a.ask("RespondToContactRequest", accept(b.userId))).name, "Error");
  assertEquals((await b.ask("RespondToContactRequest", accept(a.userId))).name, "Ack");
  const decline = { requesterId: a.userId, response: Answer.Decline };
  assertEquals((await b.ask("RespondToContactRequest", decline)).name, "Error");
});

Deno.test("[channels 3.2, 3.3, 11.1, 19a] [rooms 4.2d, 4.4] the list of a new connection is whole and sorted", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await stage.enter("A1");
  assertEquals(await stage.heard("A1"), ["ShowContacts", "UpdateContacts"]);
  const a = stage.peer("A1");
  for (const name of ["B1", "C1", "D1", "E1", "F1"]) await stage.enter(name);
  const accept = async (name: string) => {
    await a.call("RequestContact", { responderId: stage.peer(name).userId });
    const response = { requesterId: a.userId, response: Answer.Accept };
    await stage.peer(name).call("RespondToContactRequest", response);
  };
  await accept("D1");
  await accept("B1");
  await accept("C1");
  await a.call("RequestContact", { responderId: stage.peer("E1").userId });
  await stage.peer("F1").call("RequestContact", { responderId: a.userId });
  await stage.peer("C1").call("CreateRoom", {});
  await stage.lose("B1");
  await stage.silence();
  await stage.enter("A2");
  // Contacts hear of each connection, who asks or is asked and one's other connections do not.
  assertEquals(await stage.heardBy("A1", "A2", "C1", "D1", "E1", "F1"), {
    A1: [],
    A2: ["UpdateContacts b offline free, c online busy, d online free, asked by f, asking e"],
    C1: ["UpdateContacts a online free"],
    D1: ["UpdateContacts a online free"],
    E1: [],
    F1: [],
  });
});

Deno.test("[channels 17.4, 3.9, 3.1] contacts survive a restart as they were", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: a.userId });
  await server.restart();
  await b.closed;
  await stage.enter("A2");
  assertEquals(await stage.heard("A2"), ["UpdateContacts b offline free, asked by c"]);
  await stage.enter("C2");
  assertEquals(await stage.heard("C2"), ["UpdateContacts asking a"]);
});

Deno.test("[channels 17.4] two who ask each other at the same moment become contacts", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  const asked = [
    a.send("RequestContact", { responderId: b.userId }),
    b.send("RequestContact", { responderId: a.userId }),
  ] as const;
  assertEquals((await a.answer(asked[0])).name, "Ack");
  assertEquals((await b.answer(asked[1])).name, "Ack");
  await stage.enter("A2");
  await stage.enter("B2");
  assertEquals(await stage.heardBy("A2", "B2"), {
    A2: ["UpdateContacts b online free", "UpdateContacts b online free"],
    B2: ["UpdateContacts a online free"],
  });
});
