/** The named queries that both databases answer alike, as kysely builds them. */
import { type Compilable, type Kysely, sql } from "kysely";
import { fuzzyPattern } from "./fuzzy.ts";
import type { Schema, SqlValue } from "./schema.ts";
import type { UserChange } from "./store.ts";

type Db = Kysely<Schema>;

/** A query and the rows that it gives; what is left to do is the driver's. */
export type Rows = Compilable & { execute(): Promise<Record<string, unknown>[]> };

const lowerLogin = sql<SqlValue>`lower(login)`;

/** Adds an account; the row that came of it. */
export function insertUser(db: Db, user: {
  login: string;
  name: string | null;
  email: string | null;
  admin: boolean;
  metricsId: string;
  createdAt: number;
}): Rows {
  return db.insertInto("users").values({
    login: user.login,
    name: user.name,
    avatar_url: null,
    admin: user.admin,
    connected_once: false,
    metrics_id: user.metricsId,
    created_at: user.createdAt,
    email: user.email,
    staff: null,
    disabled_at: null,
  }).returningAll();
}

/** Changes an account; the row that came of it. */
export function updateUser(db: Db, id: number, change: UserChange): Rows {
  return db.updateTable("users").set({
    ...(change.name !== undefined && { name: change.name }),
    ...(change.avatarUrl !== undefined && { avatar_url: change.avatarUrl }),
    ...(change.admin !== undefined && { admin: change.admin }),
    ...(change.email !== undefined && { email: change.email }),
    ...(change.staff !== undefined && { staff: change.staff }),
    ...(change.disabledAt !== undefined && { disabled_at: change.disabledAt }),
  }).where("id", "=", id).returningAll();
}

/** The account with a login, whatever its case. */
export function userByLogin(db: Db, login: string): Rows {
  return db.selectFrom("users").selectAll().where(lowerLogin, "=", login.toLowerCase());
}

/** The account with exactly this login. [channels 2.4] */
export function userByExactLogin(db: Db, login: string): Rows {
  return db.selectFrom("users").selectAll()
    .where(lowerLogin, "=", login.toLowerCase()).where("login", "=", login);
}

/** All accounts, by id. */
export function allUsers(db: Db): Rows {
  return db.selectFrom("users").selectAll().orderBy("id");
}

/**
 * Of the next `count` accounts behind an id, those whose login could match a fuzzy query, by id; and
 * the last one in any case, so that who asks knows how far they went. [channels 2.4]
 */
export function loginsLike(db: Db, query: string, behindId: number, count: number): Rows {
  const part = db.selectFrom("users").select(["id", "login"]).where("id", ">", behindId)
    .orderBy("id").limit(count);
  return db.with("part", () => part).selectFrom("part").select(["id", "login"])
    .where((is) =>
      is.or([
        is(lowerLogin, "like", fuzzyPattern(query.toLowerCase())),
        is("id", "=", is.selectFrom("part").select(({ fn }) => fn.max("id").as("last"))),
      ])
    )
    .orderBy("id");
}

/** Removes an account; tokens, contacts and received notifications go with it by their keys. */
export function deleteUser(db: Db, id: number): Rows {
  return db.deleteFrom("users").where("id", "=", id).returning("id");
}

/** Removes others' notifications that are about a user: nobody could resolve that user any more. */
export function deleteNotificationsAbout(db: Db, userId: number): Rows {
  return db.deleteFrom("notifications").where("entity_id", "=", userId)
    .where("kind", "in", ["ContactRequest", "ContactRequestAccepted"]).returning("id");
}

/** Removes notifications of what a user has said, which goes with the account. [channels 10.1] */
export function deleteMentionsBy(db: Db, userId: number): Rows {
  const said = db.selectFrom("channel_messages").select("id").where("sender_id", "=", userId);
  return db.deleteFrom("notifications").where("kind", "=", "ChannelMessageMention")
    .where("entity_id", "in", said).returning("id");
}

/** Notes that a user has been connected. [channels 2.5] */
export function updateConnectedOnce(db: Db, id: number): Rows {
  return db.updateTable("users").set({ connected_once: true }).where("id", "=", id)
    .returning("id");
}

/** Adds a token; the row that came of it. */
export function insertAccessToken(db: Db, token: {
  userId: number;
  impersonatorId: number | null;
  hash: string;
  label: string | null;
  createdAt: number;
}): Rows {
  return db.insertInto("access_tokens").values({
    user_id: token.userId,
    impersonator_id: token.impersonatorId,
    hash: token.hash,
    created_at: token.createdAt,
    label: token.label,
    last_used_at: null,
  }).returningAll();
}

/**
 * Removes all but the newest tokens that a user got from one source: an admin who signs in as
 * somebody else must not sign that person's devices out. [transport 5.1.3]
 */
export function deleteOldAccessTokens(
  db: Db,
  userId: number,
  impersonatorId: number | null,
  keep: number,
): Rows {
  const newest = db.selectFrom("access_tokens").select("id").where("user_id", "=", userId)
    .where("impersonator_id", "is not distinct from", impersonatorId)
    .orderBy("id", "desc").limit(keep);
  return db.deleteFrom("access_tokens").where("user_id", "=", userId)
    .where("impersonator_id", "is not distinct from", impersonatorId)
    .where("id", "not in", newest).returning("id");
}

/** The tokens of a user, newest first. */
export function accessTokensOf(db: Db, userId: number): Rows {
  return db.selectFrom("access_tokens").selectAll().where("user_id", "=", userId)
    .orderBy("id", "desc");
}

/** Writes down when a token was last used. */
export function updateTokenUse(db: Db, id: number, usedAt: number): Rows {
  return db.updateTable("access_tokens").set({ last_used_at: usedAt }).where("id", "=", id)
    .returning("id");
}

/** Removes one token of a user. */
export function deleteAccessToken(db: Db, userId: number, id: number): Rows {
  return db.deleteFrom("access_tokens").where("user_id", "=", userId).where("id", "=", id)
    .returning("id");
}

/** Removes all tokens of a user. */
export function deleteAccessTokens(db: Db, userId: number): Rows {
  return db.deleteFrom("access_tokens").where("user_id", "=", userId).returning("id");
}

/** Registers a start of the server. [rooms 1.1] */
export function insertServer(db: Db, startedAt: number): Rows {
  return db.insertInto("servers").values({ started_at: startedAt }).returning("id");
}

/** The newest notifications of a user before an id, newest first. [channels 4.5] */
export function notificationsOf(
  db: Db,
  userId: number,
  beforeId: number | null,
  limit: number,
): Rows {
  return db.selectFrom("notifications").selectAll().where("recipient_id", "=", userId)
    .$if(beforeId !== null, (query) => query.where("id", "<", beforeId))
    .orderBy("id", "desc").limit(limit);
}

/** A user's newest unread notification of one kind and entity. [channels 4.4] */
export function unreadNotification(
  db: Db,
  userId: number,
  kind: string,
  entityId: number,
): Rows {
  return db.selectFrom("notifications").selectAll().where("recipient_id", "=", userId)
    .where("kind", "=", kind).where("entity_id", "=", entityId).where("is_read", "=", false)
    .orderBy("id", "desc").limit(1);
}
