/** Rows of a database as the port gives them out. */
import type { SqlValue } from "./schema.ts";
import type { AccessToken, User } from "./store.ts";
import { type AccountRowOf, type ColumnType, type RowOf, tables } from "./tables.ts";
import { fromSql } from "./values.ts";

/** A row as a database answers it. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A row with the values that its columns have. */
export function readRow<Row>(columns: Readonly<Record<string, ColumnType>>, row: SqlRow): Row {
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [name, fromSql(type, row[name]!)]),
  ) as Row;
}

/** A notification from its row. */
export function notificationOf(row: SqlRow): RowOf<"notifications"> {
  return readRow(tables.notifications.columns, row);
}

/** An account from its row. */
export function userOf(row: AccountRowOf<"users">): User {
  return {
    id: row.id,
    login: row.login,
    name: row.name,
    avatarUrl: row.avatar_url,
    admin: row.admin,
    connectedOnce: row.connected_once,
    metricsId: row.metrics_id,
    createdAt: row.created_at,
    email: row.email,
    staff: row.staff,
    disabledAt: row.disabled_at,
  };
}

/** A token from its row. */
export function accessTokenOf(row: AccountRowOf<"access_tokens">): AccessToken {
  return {
    id: row.id,
    userId: row.user_id,
    impersonatorId: row.impersonator_id,
    hash: row.hash,
    createdAt: row.created_at,
    label: row.label,
    lastUsedAt: row.last_used_at,
  };
}
