/** What must hold of chats: what is acknowledged is there, once; everybody in it sees the same. */
import type { MessageRow } from "../../db/message_store.ts";
import type { Simulation } from "./simulation.ts";

/** Whatever was acknowledged is in the database, and nothing is there twice. */
export async function checkSaid(sim: Simulation): Promise<void> {
  const { store } = sim.server;
  const rows = await store.load("channel_messages");
  const byNonce = new Map<string, MessageRow>();
  for (const row of rows) {
    const key = `${row.sender_id} ${row.nonce}`;
    sim.expect(!byNonce.has(key), () => `message ${row.id} is there twice, by its nonce`);
    byNonce.set(key, row);
  }
  const channels = new Set((await store.load("channels")).map(({ id }) => BigInt(id)));
  for (const [nonce, said] of sim.chats.said) {
    const row = byNonce.get(`${said.sender} ${nonce}`);
    const mustBe = said.id !== undefined && sim.chats.removal(said.id) === "none" &&
      channels.has(said.channel);
    if (mustBe) sim.count("messages found");
    sim.expect(!mustBe || row !== undefined, () => `message ${said.id} of ${nonce} is lost`);
    if (row === undefined) continue;
    sim.expect(channels.has(said.channel), () => `message ${row.id} has outlived its channel`);
    const removal = sim.chats.removal(BigInt(row.id));
    sim.expect(removal !== "done", () => `message ${row.id} is there though removed`);
    sim.equal(`the channel of message ${row.id}`, BigInt(row.channel_id), said.channel);
    if (said.id !== undefined) sim.equal(`the id of ${nonce}`, BigInt(row.id), said.id);
    const bodies = sim.chats.bodies(said, BigInt(row.id));
    sim.expect(
      bodies.has(row.body),
      () => `message ${row.id} says "${row.body}", but was ${[...bodies]}`,
    );
  }
}

export async function checkChats(sim: Simulation): Promise<void> {
  await checkSaid(sim);
  const { store } = sim.server;
  const rows = await store.load("channel_messages");
  const observed = await store.load("observed_channel_messages");
  for (const { id } of await store.load("channels")) {
    const own = rows.filter((one) => one.channel_id === id).sort((a, b) => a.id - b.id);
    const newest = own.at(-1)?.id;
    for (const client of sim.clients) {
      const { view, markless, chats } = client.channels;
      const channelId = BigInt(id);
      const copy = chats.get(channelId);
      if (copy !== undefined) {
        sim.count("chats compared");
        sim.equal(
          `the chat of ${id} at ${client.name}`,
          [...copy.messages.values()]
            .filter((one) => one.id >= copy.first)
            .map((one) => [Number(one.id), Number(one.senderId), one.body])
            .sort((a, b) => Number(a[0]) - Number(b[0])),
          own.filter((one) => one.id >= copy.first)
            .map((one) => [one.id, one.sender_id, one.body]),
        );
        const mark = observed.find((one) =>
          one.channel_id === id && one.user_id === Number(client.userId)
        );
        sim.expect(
          newest === undefined || (mark?.channel_message_id ?? 0) >= newest,
          () => `${client.name} has seen ${newest} in ${id}, but the mark is ${mark}`,
        );
      }
      if (!view.channels.has(channelId) || markless.has(`chat ${id}`)) continue;
      // That the newest was removed is not told. [channels 10.9]
      const seen = view.latestMessages.get(channelId);
      sim.expect(
        newest === undefined || seen !== undefined && Number(seen) >= newest,
        () => `${client.name} sees ${seen} as the newest message of ${id}, which is ${newest}`,
      );
    }
  }
}
