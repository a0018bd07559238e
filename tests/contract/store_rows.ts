/** Rows and writes for the contract of the store. */
import type { Put, Store, Write } from "../../db/store.ts";
import {
  type ColumnType,
  type RowOf,
  type Table,
  type TableName,
  tables,
} from "../../db/tables.ts";

/** Makes an empty, migrated store. */
export type OpenStore = () => Promise<Store>;

/** Numbers at which 64 bits go wrong. */
export const edges = [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
/** All journal tables. */
export const tableNames = Object.keys(tables) as TableName[];
/** Columns that refer to accounts. */
const userColumns = ["user_id_a", "user_id_b", "recipient_id", "sender_id"];
/** Tables whose `user_id` does. */
const tablesOfUsers: readonly TableName[] = [
  "channel_members",
  "contributors",
  "observed_channel_messages",
  "channel_buffer_collaborators",
  "observed_buffer_edits",
  "agent_threads",
  "agent_commands",
  "agent_hosts",
  "agent_subscriptions",
  "agent_cursors",
];

/** A row whose table is known at run time only. */
export type AnyRow = Record<string, unknown>;

/** A put of any table. */
export function put(table: TableName, row: AnyRow): Put {
  return { op: "put", table, row } as unknown as Put;
}

/** A removal from any table. */
export function remove(table: TableName, key: AnyRow): Write {
  return { op: "remove", table, key } as unknown as Write;
}

function sample(type: ColumnType, seed: number): unknown {
  switch (type) {
    case "int":
    case "int?":
      return Number.MAX_SAFE_INTEGER - seed;
    case "u64":
    case "u64?":
      return 2n ** 64n - 1n - BigInt(seed);
    case "bool":
    case "bool?":
      return seed % 2 === 0;
    case "text":
    case "text?":
      return `ütf ✓ 'quoted" ${seed}`;
    default:
      return new Uint8Array([seed, 0, 255]);
  }
}

/** Whether a column holds the id of an account that has to exist. */
function refersToUser(table: TableName, column: string): boolean {
  return userColumns.includes(column) || (column === "user_id" && tablesOfUsers.includes(table));
}

function userOf(table: TableName, column: string, seed: number): number {
  if (tablesOfUsers.includes(table)) return seed % 2 === 0 ? 2 : 1;
  return column === "user_id_b" ? 2 : 1;
}

/** A row with a value in every column; users 1 and 2 have to exist. */
export function sampleRow(table: TableName, seed = 1): AnyRow {
  const { columns } = tables[table] as Table;
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [
      name,
      refersToUser(table, name) ? userOf(table, name, seed) : sample(type, seed),
    ]),
  );
}

/** The first columns of a row's key, all of them unless told otherwise. */
export function keyOf(
  table: TableName,
  row: AnyRow,
  length: number = tables[table].key.length,
): AnyRow {
  return Object.fromEntries(tables[table].key.slice(0, length).map((name) => [name, row[name]]));
}

/** Rows of any table. */
export async function load(store: Store, table: TableName, key?: AnyRow): Promise<AnyRow[]> {
  return await store.load(table, key as Partial<RowOf<typeof table>>) as AnyRow[];
}

/** Stores writes of one actor; throws what the database refused. */
export async function commit(store: Store, ...writes: Write[]): Promise<void> {
  const refused = await store.commit([{ actor: "/test/1", writes }]);
  if (refused.length > 0) throw refused[0]!.error;
}

/** A pending contact. */
export function contact(a: number, b: number): RowOf<"contacts"> {
  return { user_id_a: a, user_id_b: b, a_to_b: true, should_notify: true, accepted: false };
}

/** An unread notification. */
export function notification(
  id: number,
  recipient: number,
  more: Partial<RowOf<"notifications">> = {},
): RowOf<"notifications"> {
  return {
    id,
    recipient_id: recipient,
    created_at: 1_000 + id,
    kind: "ContactRequest",
    entity_id: 9,
    content: "{}",
    is_read: false,
    response: null,
    ...more,
  };
}

/** Runs `body` on a new store, which it closes. */
export function withStore(open: OpenStore, body: (store: Store) => Promise<void>) {
  return async (): Promise<void> => {
    const store = await open();
    try {
      await body(store);
    } finally {
      await store.close();
    }
  };
}

/** The same, with users 1 `alice` and 2 `bob`. */
export function withUsers(open: OpenStore, body: (store: Store) => Promise<void>) {
  return withStore(open, async (store) => {
    await store.createUser({ login: "alice", admin: false });
    await store.createUser({ login: "bob", admin: false });
    await body(store);
  });
}
