import { assert, assertEquals } from "@std/assert";
import type { Peer } from "../../client/peer.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { printedRandom } from "../support/random.ts";
import { waitUntil } from "../support/wait_until.ts";
import { placesOfTests } from "./places.ts";
import { ServerProcess } from "./server_process.ts";

/** Deaths of the server in one test. */
const ROUNDS = 6;
/** Messages that wait for an answer at a time. */
const IN_FLIGHT = 8;
/** Messages said in one round. */
const SAID = 200;

/** What one message became: its number is its nonce. */
interface Said {
  readonly number: number;
  id: bigint | undefined;
}

for (const { name, ignore, database } of await placesOfTests()) {
  Deno.test({
    ignore,
    name:
      `[design 6a] [channels 12] [channels 10.7.3, 10.7.4, 10.10, Q-15] kill -9 while people chat: each message is there once, with its mention, and what was seen stays seen${name}`,
    fn: async () => {
      const random = printedRandom("crash test of chat");
      await using server = await ServerProcess.prepare(["alice", "bob"], {
        database: await database(),
      });
      const bobId = server.users.get("bob")!.id;
      await server.start();
      const first = (await server.connect("alice")).peer;
      const { channel } = await first.request("CreateChannel", { name: "chat" });
      const channelId = channel?.id as bigint;
      await server.kill();

      const all: Said[] = [];
      /** The newest message that the reader has acknowledged, and has been told of since. */
      let seen = 0n;
      for (let round = 0; round < ROUNDS; round++) {
        await server.start();
        const { peer } = await server.connect("alice");
        await peer.request("JoinChannelChat", { channelId });
        let progress = 0;
        const say = async (one: Said) => {
          const { message } = await peer.request("SendChannelMessage", {
            channelId,
            body: `message ${one.number}`,
            nonce: { lowerHalf: BigInt(one.number) },
            mentions: [{ range: { start: 0n, end: 7n }, userId: BigInt(bobId) }],
          });
          if (one.id !== undefined) assertEquals(message?.id, one.id, `of message ${one.number}`);
          one.id = message?.id;
          progress++;
        };
        // As a client does: what has no answer is sent again, here and there also what has one.
        const left = all.filter(({ id }) => id === undefined || random.int(10) === 0);
        for (let count = 0; count < SAID; count++) {
          const one = { number: all.length + 1, id: undefined };
          all.push(one);
          left.push(one);
        }
        const work = Promise.allSettled(
          Array.from({ length: IN_FLIGHT }, async () => {
            for (let one = left.shift(); one !== undefined; one = left.shift()) await say(one);
          }),
        );
        const reading = read(server, channelId).then((id) => {
          if (id > seen) seen = id;
        }, () => {});
        const enough = random.int(SAID / 2);
        await waitUntil(() => progress >= enough, { describe: "progress" });
        for (let turns = random.int(50); turns > 0; turns--) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        await server.kill();
        await Promise.all([work, reading]);

        await server.withStore(async (store) => {
          const rows = await store.load("channel_messages");
          const stored = new Map(rows.map((row) => [row.body, row.id]));
          assertEquals(stored.size, rows.length, "a message is there twice");
          for (const { number, id } of all) {
            if (id === undefined) continue;
            assertEquals(stored.get(`message ${number}`), Number(id), `message ${number}`);
          }
          // A message and the notification of its mention are one change. [design 1.3a]
          const mentions = await store.loadWhere("notifications", { recipient_id: bobId });
          assertEquals(
            mentions.map(({ entity_id }) => entity_id),
            rows.map(({ id }) => id),
          );
          const marks = await store.load("observed_channel_messages", {
            channel_id: Number(channelId),
          });
          const mark = (login: string) =>
            marks.find(({ user_id }) => user_id === server.users.get(login)?.id)
              ?.channel_message_id;
          assertEquals(mark("alice"), rows.at(-1)?.id);
          assert((mark("bob") ?? 0) >= Number(seen), `${mark("bob")} is before ${seen}`);
        });
      }
      assert(all.some(({ id }) => id !== undefined));
    },
  });
}

/** Sees the newest message, and waits until that is known. */
async function read(server: ServerProcess, channelId: bigint): Promise<bigint> {
  const { peer, log } = await server.connect("bob");
  const newest = await newestMention(peer);
  peer.send("AckChannelMessage", { channelId, messageId: newest });
  let ended = false;
  void peer.closed.then(() => ended = true);
  // Others are added meanwhile.
  const isTold = () =>
    log.all.some(({ name, message }) => {
      if (name !== "AddNotification") return false;
      const { notification } = message as MessageTypes["AddNotification"];
      return notification?.isRead === true && notification.entityId === newest;
    });
  await waitUntil(() => ended || isTold(), { describe: "the mention read" });
  if (!isTold()) throw new Error("The server has died before it told of it");
  return newest;
}

async function newestMention(peer: Peer): Promise<bigint> {
  for (;;) {
    const { notifications } = await peer.request("GetNotifications", {});
    const unread = notifications.filter(({ isRead }) => !isRead).at(-1)?.entityId;
    if (unread !== undefined) return unread;
  }
}
