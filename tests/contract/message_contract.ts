/** What every store answers about chat messages. [channels 10.1] */
import { assertEquals } from "@std/assert";
import type { MessageRow } from "../../db/message_store.ts";
import type { RowOf } from "../../db/tables.ts";
import { commit, notification, type OpenStore, put, remove, withUsers } from "./store_rows.ts";

const MENTION = "ChannelMessageMention";

function message(id: number, more: Partial<MessageRow> = {}): MessageRow {
  return {
    channel_id: 1,
    id,
    sender_id: 1,
    body: `message ${id}`,
    sent_at: 1_000 + id,
    edited_at: null,
    nonce: String(id).padStart(32, "0"),
    reply_to_message_id: null,
    mentions: "[]",
    ...more,
  };
}

function channel(id: number, root_id: number): RowOf<"channels"> {
  return {
    id,
    root_id,
    name: `channel ${id}`,
    visibility: "members",
    parent_path: id === root_id ? "" : `${root_id}/`,
    requires_zed_cla: false,
    channel_order: id,
    created_at: 1,
  };
}

/** Registers the suite for one driver. */
export function messageContract(driver: string, open: OpenStore): void {
  const ids = (rows: readonly MessageRow[]) => rows.map(({ id }) => id);

  Deno.test(
    `[channels 10.1, 10.2, 10.4, 10.5] messages by page and by id, ascending (${driver})`,
    withUsers(open, async (store) => {
      const rows = [1, 2, 4, 5, 6].map((id) => message(id));
      const other = message(3, { channel_id: 2 });
      await commit(store, ...[...rows, other].map((row) => put("channel_messages", { ...row })));
      const { messages } = store;
      assertEquals(await messages.page(1, null, 10), rows);
      assertEquals(ids(await messages.page(1, null, 2)), [5, 6]);
      assertEquals(ids(await messages.page(1, 5, 2)), [2, 4]);
      assertEquals(ids(await messages.page(1, 1, 2)), []);
      assertEquals(ids(await messages.page(9, null, 2)), []);
      assertEquals(await messages.byId([6, 3, 99, 3, Number.MAX_SAFE_INTEGER]), [other, rows[4]]);
      assertEquals(await messages.byId([]), []);
    }),
  );

  Deno.test(
    `[channels 10.1, 10.7.3, Q-15] a nonce is its sender's, and is stored once in a channel (${driver})`,
    withUsers(open, async (store) => {
      const nonce = "f".repeat(32);
      const [mine, theirs] = [message(1, { nonce }), message(2, { nonce, sender_id: 2 })];
      await commit(
        store,
        put("channel_messages", { ...mine }),
        put("channel_messages", { ...theirs }),
      );
      assertEquals(await store.messages.byNonce(1, nonce), [mine]);
      assertEquals(await store.messages.byNonce(2, nonce), [theirs]);
      assertEquals(await store.messages.byNonce(2, "0".repeat(32)), []);
      const again = put("channel_messages", { ...message(3, { nonce }) });
      assertEquals((await store.commit([{ actor: "/a", writes: [again] }])).length, 1);
      const elsewhere = message(4, { nonce, channel_id: 2 });
      await commit(store, put("channel_messages", { ...elsewhere }));
      assertEquals(
        (await store.messages.byNonce(1, nonce)).sort((a, b) => a.id - b.id),
        [mine, elsewhere],
      );
    }),
  );

  Deno.test(
    `[channels 10.1, 6.4] the newest message of each channel, of one tree or of all (${driver})`,
    withUsers(open, async (store) => {
      const trees = [channel(1, 1), channel(2, 1), channel(3, 3), channel(4, 3)];
      const said = [
        message(1),
        message(5),
        message(3, { channel_id: 2 }),
        message(4, { channel_id: 3 }),
      ];
      await commit(
        store,
        ...trees.map((row) => put("channels", { ...row })),
        ...said.map((row) => put("channel_messages", { ...row })),
      );
      const newest = async (rootId?: number) =>
        (await store.messages.newest(rootId)).map((one) => [one.channelId, one.messageId]).sort();
      assertEquals(await newest(), [[1, 5], [2, 3], [3, 4]]);
      assertEquals(await newest(1), [[1, 5], [2, 3]]);
      await commit(store, remove("channel_messages", { channel_id: 1, id: 5 }));
      assertEquals(await newest(1), [[1, 1], [2, 3]]);
      await commit(store, remove("channel_messages", { channel_id: 1 }));
      assertEquals(await newest(1), [[2, 3]]);
    }),
  );

  Deno.test(
    `[channels 12, 2.3] what somebody said goes with the account, and what told of it (${driver})`,
    withUsers(open, async (store) => {
      const seen = { channel_id: 1, channel_message_id: 2 };
      await commit(
        store,
        put("channel_messages", { ...message(1) }),
        put("channel_messages", { ...message(2, { sender_id: 2 }) }),
        put("observed_channel_messages", { ...seen, user_id: 1 }),
        put("observed_channel_messages", { ...seen, user_id: 2 }),
        put("notifications", notification(1, 1, { kind: MENTION, entity_id: 1 })),
        put("notifications", notification(2, 1, { kind: MENTION, entity_id: 2 })),
      );
      assertEquals(await store.removeUser(2), true);
      assertEquals(ids(await store.load("channel_messages")), [1]);
      assertEquals(await store.load("observed_channel_messages"), [{ ...seen, user_id: 1 }]);
      assertEquals((await store.load("notifications")).map(({ id }) => id), [1]);
    }),
  );
}
