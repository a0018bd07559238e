/** {@link AdminStore} by the queries that both databases answer alike. */
import { type Kysely, sql } from "kysely";
import type {
  AdminStore,
  AuditActor,
  AuditEntry,
  AuditPage,
  NewAuditEntry,
  Subscription,
  UserPage,
} from "./admin_store.ts";
import { userOf } from "./read_rows.ts";
import type { Schema, SqlValue } from "./schema.ts";
import type { QueryRunner } from "./sign_in_rows.ts";
import type { User } from "./store.ts";
import type { AccountRowOf } from "./tables.ts";

export class AdminRows implements AdminStore {
  readonly #runner: QueryRunner;
  readonly #db: Kysely<Schema>;

  constructor(runner: QueryRunner) {
    this.#runner = runner;
    this.#db = runner.kysely;
  }

  async usersPage({ query, after, limit }: UserPage): Promise<User[]> {
    const pattern = `%${query.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`;
    const matches = (column: "login" | "name" | "email") =>
      sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
    const rows = await this.#runner.ask(
      "users",
      this.#db.selectFrom("users").selectAll().where("id", ">", after)
        .$if(
          query !== "",
          (all) =>
            all.where((where) => where.or([matches("login"), matches("name"), matches("email")])),
        )
        .orderBy("id").limit(limit),
    );
    return rows.map(userOf);
  }

  async addAuditEntry(entry: NewAuditEntry): Promise<void> {
    await this.#runner.run(
      this.#db.insertInto("audit_entries").values({
        created_at: this.#runner.now(),
        actor_kind: entry.actor.kind,
        actor_id: entry.actor.id,
        actor_login: entry.actor.login,
        action: entry.action,
        target: entry.target,
        target_name: entry.targetName,
        client_address: entry.clientAddress,
        details: JSON.stringify(entry.details),
      }).returning("id"),
    );
  }

  async auditEntries({ before, limit, target, action }: AuditPage): Promise<AuditEntry[]> {
    const rows = await this.#runner.ask(
      "audit_entries",
      this.#db.selectFrom("audit_entries").selectAll()
        .$if(before !== null, (all) => all.where("id", "<", before))
        .$if(target !== undefined, (all) => all.where("target", "=", target!))
        .$if(action !== undefined, (all) => all.where("action", "=", action!))
        .orderBy("id", "desc").limit(limit),
    );
    return rows.map(auditEntryOf);
  }

  async contributorSince(userId: number): Promise<number | undefined> {
    const query = this.#db.selectFrom("contributors").selectAll().where("user_id", "=", userId);
    return (await this.#runner.ask("contributors", query))[0]?.signed_at;
  }

  async addContributor(userId: number): Promise<void> {
    await this.#runner.run(
      this.#db.insertInto("contributors")
        .values({ user_id: userId, signed_at: this.#runner.now() })
        .onConflict((on) => on.column("user_id").doNothing()).returning("user_id"),
    );
  }

  async contributors(): Promise<string[]> {
    const rows = await this.#runner.ask(
      "users",
      this.#db.selectFrom("users").selectAll()
        .where("id", "in", this.#db.selectFrom("contributors").select("user_id")).orderBy("id"),
    );
    return rows.map(({ login }) => login);
  }

  async customerOf(userId: number): Promise<string | undefined> {
    const query = this.#db.selectFrom("billing_customers").selectAll()
      .where("user_id", "=", userId);
    return (await this.#runner.ask("billing_customers", query))[0]?.customer_id;
  }

  async addCustomer(userId: number, customerId: string): Promise<string> {
    await this.#runner.run(
      this.#db.insertInto("billing_customers")
        .values({ user_id: userId, customer_id: customerId, created_at: this.#runner.now() })
        .onConflict((on) => on.column("user_id").doNothing()).returning("user_id"),
    );
    return await this.customerOf(userId) ?? customerId;
  }

  async userOfCustomer(customerId: string): Promise<number | undefined> {
    const query = this.#db.selectFrom("billing_customers").selectAll()
      .where("customer_id", "=", customerId);
    return (await this.#runner.ask("billing_customers", query))[0]?.user_id;
  }

  async userOfSubscription(id: string): Promise<number | undefined> {
    const query = this.#db.selectFrom("billing_subscriptions").selectAll().where("id", "=", id);
    return (await this.#runner.ask("billing_subscriptions", query))[0]?.user_id;
  }

  async putSubscription(subscription: Subscription): Promise<boolean> {
    const row: AccountRowOf<"billing_subscriptions"> = {
      id: subscription.id,
      user_id: subscription.userId,
      status: subscription.status,
      plan: subscription.plan,
      started_at: subscription.startedAt,
      ends_at: subscription.endsAt,
      cancels: subscription.cancels,
      told_at: subscription.toldAt,
    };
    const stored = await this.#runner.ask(
      "billing_subscriptions",
      this.#db.insertInto("billing_subscriptions").values(row)
        .onConflict((on) =>
          on.column("id").doUpdateSet(row)
            .where("billing_subscriptions.told_at", "<=", subscription.toldAt as SqlValue)
        ).returningAll(),
    );
    return stored.length > 0;
  }

  async subscriptionsOf(userId: number): Promise<Subscription[]> {
    const rows = await this.#runner.ask(
      "billing_subscriptions",
      this.#db.selectFrom("billing_subscriptions").selectAll().where("user_id", "=", userId)
        .orderBy("told_at", "desc").orderBy("id"),
    );
    return rows.map((row) => ({
      id: row.id,
      userId: row.user_id,
      status: row.status,
      plan: row.plan,
      startedAt: row.started_at,
      endsAt: row.ends_at,
      cancels: row.cancels,
      toldAt: row.told_at,
    }));
  }
}

function auditEntryOf(row: AccountRowOf<"audit_entries">): AuditEntry {
  return {
    id: row.id,
    createdAt: row.created_at,
    actor: {
      kind: row.actor_kind as AuditActor["kind"],
      id: row.actor_id,
      login: row.actor_login,
    },
    action: row.action,
    target: row.target,
    targetName: row.target_name,
    clientAddress: row.client_address,
    details: JSON.parse(row.details),
  };
}
