/** What every store answers about threads of agents. [agents 3] */
import { assertEquals } from "@std/assert";
import { PAGE_BYTES } from "../../db/agent_store.ts";
import type { Store, Write } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { uuid } from "../support/agents.ts";
import { commit, type OpenStore, put, remove, withUsers } from "./store_rows.ts";

/** Number of `message_completed`. */
const COMPLETED = 16;

function thread(
  number: number,
  more: Partial<RowOf<"agent_threads">> = {},
): RowOf<"agent_threads"> {
  return {
    user_id: 1,
    id: uuid("thread", number),
    number,
    host_id: "",
    updated_at: 1_000 + number,
    archived: false,
    deleted_at: null,
    first_seq: 1,
    last_seq: 9,
    folded_seq: 0,
    confirmed_seq: 0,
    details: new Uint8Array([number]),
    ...more,
  };
}

function event(seq: number, more: Partial<RowOf<"agent_events">> = {}): RowOf<"agent_events"> {
  return {
    thread: 1,
    seq,
    event_id: uuid("event", more.thread ?? 1, seq),
    timestamp: 100 * seq,
    stored_at: 10_000 + seq,
    kind: 15,
    payload: new Uint8Array([seq]),
    ...more,
  };
}

function command(
  threadNumber: number,
  ordinal: number,
  created_at: number,
): RowOf<"agent_commands"> {
  return {
    thread: threadNumber,
    ordinal,
    user_id: 1,
    host_id: "",
    command_id: uuid("command", threadNumber, ordinal),
    created_at,
    state: "waiting",
    reason: "",
    command: new Uint8Array(0),
  };
}

const seqs = (rows: readonly { seq: number }[]) => rows.map(({ seq }) => seq);

function cut(key: Record<string, unknown>, from: number, to: number): Write {
  return { op: "cut", table: "agent_events", key, from, to } as unknown as Write;
}

/** Registers the suite for one driver. */
export function agentContract(driver: string, open: OpenStore): void {
  const agentTest = (name: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`[issue 7 store] ${name} (${driver})`, withUsers(open, body));

  agentTest("a cut removes from one number up to below another, of one key", async (store) => {
    const others = [event(2, { thread: 2 })];
    const rows = [1, 2, 3, 4, 5, 6].map((seq) => event(seq));
    await commit(store, ...[...rows, ...others].map((row) => put("agent_events", { ...row })));
    await commit(store, cut({ thread: 1 }, 2, 4));
    assertEquals(seqs(await store.load("agent_events", { thread: 1 })), [1, 4, 5, 6]);
    assertEquals(await store.load("agent_events", { thread: 2 }), others);
    // Of nothing, and twice: as good as once, since a group may be stored again.
    await commit(
      store,
      cut({ thread: 1 }, 2, 4),
      cut({ thread: 1 }, 6, 6),
      cut({ thread: 9 }, 1, 9),
    );
    assertEquals(seqs(await store.load("agent_events", { thread: 1 })), [1, 4, 5, 6]);
    // In the order of the writes.
    await commit(
      store,
      put("agent_events", { ...event(7) }),
      cut({ thread: 1 }, 1, 8),
      put("agent_events", { ...event(8) }),
    );
    assertEquals(seqs(await store.load("agent_events", { thread: 1 })), [8]);
  });

  agentTest("events forwards and backwards, by number and by bytes", async (store) => {
    const large = new Uint8Array(PAGE_BYTES / 2);
    const rows = [1, 2, 4, 5, 6].map((seq) => event(seq));
    const others = [1, 2, 3, 4].map((seq) => event(seq, { thread: 2, payload: large }));
    await commit(store, ...[...rows, ...others].map((row) => put("agent_events", { ...row })));
    const { agents } = store;
    assertEquals(await agents.events(1, 0, 10), rows);
    assertEquals(seqs(await agents.events(1, 2, 2)), [4, 5]);
    assertEquals(await agents.events(1, 6, 2), []);
    assertEquals(await agents.eventsBefore(1, 99, 10), rows.toReversed());
    assertEquals(seqs(await agents.eventsBefore(1, 5, 2)), [4, 2]);
    assertEquals(await agents.eventsBefore(1, 1, 2), []);
    assertEquals(seqs(await agents.events(2, 0, 10)), [1, 2]);
    assertEquals(seqs(await agents.eventsBefore(2, 5, 10)), [4, 3]);
    // One is told whatever its size.
    const huge = event(1, { thread: 3, payload: new Uint8Array(PAGE_BYTES + 1) });
    await commit(
      store,
      put("agent_events", { ...huge }),
      put("agent_events", {
        ...event(2, { thread: 3 }),
      }),
    );
    assertEquals(seqs(await agents.events(3, 0, 10)), [1]);
  });

  agentTest("events by their ids; an id is stored once in a thread", async (store) => {
    const rows = [1, 2, 3].map((seq) => event(seq));
    const other = event(7, { thread: 2, event_id: rows[0]!.event_id });
    await commit(store, ...[...rows, other].map((row) => put("agent_events", { ...row })));
    const { agents } = store;
    const ids = rows.map(({ event_id }) => event_id);
    assertEquals(
      await agents.seqsOf(1, [ids[2]!, uuid("unknown"), ids[0]!]),
      new Map([[ids[0]!, 1], [ids[2]!, 3]]),
    );
    assertEquals(await agents.seqsOf(2, ids), new Map([[ids[0]!, 7]]));
    assertEquals(await agents.seqsOf(1, []), new Map());
    assertEquals(await agents.newestIds(1, 2), [
      { seq: 3, eventId: ids[2]! },
      { seq: 2, eventId: ids[1]! },
    ]);
    assertEquals(await agents.newestIds(9, 2), []);
    const again = put("agent_events", { ...event(9, { event_id: ids[0]! }) });
    assertEquals((await store.commit([{ actor: "/a", writes: [again] }])).length, 1);
    assertEquals(await agents.lastSeqBefore(1, 300), 2);
    assertEquals(await agents.lastSeqBefore(1, 100), 0);
  });

  agentTest(
    "threads by activity, in pages; deleted ones never, archived ones if wanted",
    async (store) => {
      const rows = [
        thread(1, { updated_at: 5 }),
        thread(2, { updated_at: 7 }),
        thread(3, { updated_at: 7 }),
        thread(4, { archived: true, updated_at: 6 }),
        thread(5, { deleted_at: 1 }),
        thread(6, { user_id: 2 }),
      ];
      await commit(store, ...rows.map((row) => put("agent_threads", { ...row })));
      const numbers = async (
        more: {
          before?: { updatedAt: number; number: number };
          archived?: boolean;
          limit?: number;
        },
      ) => {
        const options = { before: undefined, archived: false, limit: 10, ...more };
        return (await store.agents.threads(1, options)).map(({ number }) => number);
      };
      assertEquals(await numbers({}), [3, 2, 1]);
      assertEquals(await numbers({ archived: true }), [3, 2, 4, 1]);
      assertEquals(await numbers({ limit: 1 }), [3]);
      assertEquals(await numbers({ before: { updatedAt: 7, number: 3 } }), [2, 1]);
      assertEquals(await store.agents.threads(2, { before: undefined, archived: true, limit: 9 }), [
        rows[5]!,
      ]);
    },
  );

  agentTest(
    "what is due: old commands, old subscriptions, events to cut and to fold",
    async (store) => {
      const { agents } = store;
      const threads = [
        thread(1),
        // Its events have been folded already.
        thread(2, { folded_seq: 2 }),
        // Only its last event is left.
        thread(3, { first_seq: 2, last_seq: 2 }),
        thread(4, { first_seq: 1, last_seq: 1, deleted_at: 50 }),
      ];
      const events = [
        event(1, { stored_at: 100 }),
        event(2, { stored_at: 300, kind: COMPLETED }),
        event(1, { thread: 2, stored_at: 200 }),
        event(2, { thread: 2, stored_at: 300, kind: COMPLETED }),
        event(2, { thread: 3, stored_at: 100 }),
        event(1, { thread: 4, stored_at: 50 }),
      ];
      const subscription = (subscriber_id: string, seen_at: number) => ({
        user_id: 1,
        subscriber_id,
        thread_id: "",
        seen_at,
      });
      await commit(
        store,
        ...threads.map((row) => put("agent_threads", { ...row })),
        ...events.map((row) => put("agent_events", { ...row })),
        put("agent_commands", { ...command(1, 1, 100) }),
        put("agent_commands", { ...command(1, 2, 100) }),
        put("agent_commands", { ...command(2, 1, 200) }),
        put("agent_subscriptions", subscription("a", 100)),
        put("agent_subscriptions", subscription("b", 200)),
      );
      const names = (...numbers: number[]) =>
        numbers.map((number) => ({ userId: 1, id: uuid("thread", number) }));
      assertEquals(await agents.threadsWithCommandsBefore(100), []);
      assertEquals(await agents.threadsWithCommandsBefore(101), names(1));
      assertEquals(await agents.subscriptionsBefore(200), [subscription("a", 100)]);
      const due = async (cutBefore: number, foldBefore: number, limit = 10) =>
        (await agents.threadsDue({ cutBefore, foldBefore }, limit)).toSorted((a, b) =>
          a.id < b.id ? -1 : 1
        );
      const sorted = (...numbers: number[]) =>
        names(...numbers).toSorted((a, b) => a.id < b.id ? -1 : 1);
      assertEquals(await due(0, 0), []);
      assertEquals(await due(101, 0), sorted(1, 4));
      assertEquals(await due(0, 301), sorted(1));
      assertEquals(await due(201, 301), sorted(1, 2, 4));
      assertEquals((await due(201, 0, 1)).length, 1);
    },
  );

  agentTest("threads go with their account, with everything that is in them", async (store) => {
    const tables = ["agent_threads", "agent_events", "agent_commands", "agent_hosts"] as const;
    const hosts = [1, 2].map((user_id) => ({
      user_id,
      host_id: uuid("host", user_id),
      name: "n",
      seen_at: 1,
    }));
    await commit(
      store,
      put("agent_threads", { ...thread(1) }),
      put("agent_threads", { ...thread(2, { user_id: 2 }) }),
      put("agent_events", { ...event(1) }),
      put("agent_events", { ...event(1, { thread: 2 }) }),
      put("agent_commands", { ...command(1, 1, 5) }),
      put("agent_commands", { ...command(2, 1, 5), user_id: 2 }),
      ...hosts.map((row) => put("agent_hosts", row)),
    );
    assertEquals(await store.removeUser(1), true);
    for (const table of tables) assertEquals((await store.load(table)).length, 1, table);
    assertEquals(await store.load("agent_events"), [event(1, { thread: 2 })]);
    await commit(store, remove("agent_threads", { user_id: 2 }));
    assertEquals(await store.load("agent_threads"), []);
  });
}
