/** {@link SignInStore} by the queries that both databases answer alike. */
import type { Kysely } from "kysely";
import type { Rows } from "./queries.ts";
import type { Schema } from "./schema.ts";
import type { Invitation, SignInStore, WebSession } from "./sign_in_store.ts";
import type { AccountRowOf, AnyRowOf, AnyTableName } from "./tables.ts";

/** What a driver does for {@link SignInRows}. */
export interface QueryRunner {
  readonly kysely: Kysely<Schema>;
  /** Unix milliseconds. */
  now(): number;
  /** Runs one query whose rows are whole rows of a table. */
  ask<T extends AnyTableName>(table: T, query: Rows): Promise<AnyRowOf<T>[]>;
  /** Runs several queries in one transaction. */
  run(...queries: readonly Rows[]): Promise<void>;
}

export class SignInRows implements SignInStore {
  readonly #runner: QueryRunner;
  readonly #db: Kysely<Schema>;

  constructor(runner: QueryRunner) {
    this.#runner = runner;
    this.#db = runner.kysely;
  }

  async passwordHash(userId: number): Promise<string | undefined> {
    const query = this.#db.selectFrom("passwords").selectAll().where("user_id", "=", userId);
    return (await this.#runner.ask("passwords", query))[0]?.hash;
  }

  async setPasswordHash(userId: number, hash: string): Promise<void> {
    const row = { user_id: userId, hash, changed_at: this.#runner.now() };
    await this.#runner.run(
      this.#db.insertInto("passwords").values(row)
        .onConflict((on) => on.column("user_id").doUpdateSet(row)).returning("user_id"),
    );
  }

  async createSession(
    { hash, userId, expiresAt, label = null }: Parameters<SignInStore["createSession"]>[0],
  ): Promise<void> {
    const now = this.#runner.now();
    await this.#runner.run(
      this.#db.deleteFrom("web_sessions").where("expires_at", "<=", now).returning("hash"),
      this.#db.insertInto("web_sessions")
        .values({ hash, user_id: userId, created_at: now, expires_at: expiresAt, label })
        .returning("hash"),
    );
  }

  async session(hash: string): Promise<WebSession | undefined> {
    const query = this.#db.selectFrom("web_sessions").selectAll().where("hash", "=", hash);
    const [row] = await this.#runner.ask("web_sessions", query);
    return row && sessionOf(row);
  }

  async removeSession(hash: string): Promise<void> {
    await this.#runner.run(
      this.#db.deleteFrom("web_sessions").where("hash", "=", hash).returning("hash"),
    );
  }

  async removeSessions(userId: number): Promise<void> {
    await this.#runner.run(
      this.#db.deleteFrom("web_sessions").where("user_id", "=", userId).returning("hash"),
    );
  }

  async sessionsOf(userId: number): Promise<WebSession[]> {
    const query = this.#db.selectFrom("web_sessions").selectAll().where("user_id", "=", userId)
      .where("expires_at", ">", this.#runner.now())
      .orderBy("created_at", "desc").orderBy("hash");
    return (await this.#runner.ask("web_sessions", query)).map(sessionOf);
  }

  async removeSessionOf(userId: number, hash: string): Promise<boolean> {
    const query = this.#db.deleteFrom("web_sessions").where("user_id", "=", userId)
      .where("hash", "=", hash).returningAll();
    return (await this.#runner.ask("web_sessions", query)).length > 0;
  }

  async removeOtherSessions(userId: number, hash: string): Promise<void> {
    await this.#runner.run(
      this.#db.deleteFrom("web_sessions").where("user_id", "=", userId)
        .where("hash", "<>", hash).returning("hash"),
    );
  }

  async removeInvitations(userId: number): Promise<void> {
    await this.#runner.run(
      this.#db.deleteFrom("invitations").where("user_id", "=", userId).returning("hash"),
    );
  }

  async createInvitation({ hash, userId, expiresAt }: Omit<Invitation, "createdAt">) {
    const now = this.#runner.now();
    await this.#runner.run(
      this.#db.deleteFrom("invitations")
        .where((where) => where.or([where("expires_at", "<=", now), where("user_id", "=", userId)]))
        .returning("hash"),
      this.#db.insertInto("invitations")
        .values({ hash, user_id: userId, created_at: now, expires_at: expiresAt })
        .returning("hash"),
    );
  }

  async invitation(hash: string): Promise<Invitation | undefined> {
    const query = this.#db.selectFrom("invitations").selectAll().where("hash", "=", hash);
    const [row] = await this.#runner.ask("invitations", query);
    return row && invitationOf(row);
  }

  async takeInvitation(hash: string): Promise<Invitation | undefined> {
    const query = this.#db.deleteFrom("invitations").where("hash", "=", hash).returningAll();
    const [row] = await this.#runner.ask("invitations", query);
    return row && invitationOf(row);
  }

  async identity(provider: string, subject: string): Promise<number | undefined> {
    const query = this.#db.selectFrom("identities").selectAll()
      .where("provider", "=", provider).where("subject", "=", subject);
    return (await this.#runner.ask("identities", query))[0]?.user_id;
  }

  async subject(provider: string, userId: number): Promise<string | undefined> {
    const query = this.#db.selectFrom("identities").selectAll()
      .where("user_id", "=", userId).where("provider", "=", provider)
      .orderBy("created_at").orderBy("subject").limit(1);
    return (await this.#runner.ask("identities", query))[0]?.subject;
  }

  async linkIdentity(provider: string, subject: string, userId: number): Promise<number> {
    await this.#runner.run(
      this.#db.insertInto("identities")
        .values({ provider, subject, user_id: userId, created_at: this.#runner.now() })
        .onConflict((on) => on.columns(["provider", "subject"]).doNothing())
        .returning("user_id"),
    );
    const owner = await this.identity(provider, subject);
    if (owner !== undefined) return owner;
    throw new Error(
      `Cannot link ${provider} ${subject} to user ${userId}: the account was removed meanwhile`,
    );
  }

  async secret(name: string, initial: Uint8Array): Promise<Uint8Array> {
    await this.#runner.run(
      this.#db.insertInto("secrets").values({ name, value: initial })
        .onConflict((on) => on.column("name").doNothing()).returning("name"),
    );
    const query = this.#db.selectFrom("secrets").selectAll().where("name", "=", name);
    return (await this.#runner.ask("secrets", query))[0]!.value;
  }
}

function sessionOf(row: AccountRowOf<"web_sessions">): WebSession {
  return { ...invitationOf(row), label: row.label };
}

function invitationOf(
  row: Omit<AccountRowOf<"web_sessions">, "label"> | AccountRowOf<"invitations">,
): Invitation {
  return {
    hash: row.hash,
    userId: row.user_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
