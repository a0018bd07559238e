/** Opens a PostgreSQL database and brings it up to date. */
import { Kysely } from "kysely";
import { type Clock, systemClock } from "../../lib/clock.ts";
import {
  type DialectMigration,
  migrate,
  migrations,
  type MigrationState,
  migrationState,
} from "../migrations/mod.ts";
import { type Store, StoreAwayError, StoreTooNewError, StoreUnavailableError } from "../store.ts";
import { PostgresDialect } from "./dialect.ts";
import { translated } from "./errors.ts";
import { Session, type TimeLimits, timeLimits } from "./session.ts";
import { PostgresStore } from "./store.ts";
import { Writer } from "./writer.ts";

/** Where the database is and what to do with it. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** What to call the database in messages: no password in it. */
  readonly name: string;
  /** Connections for reading and for accounts at most; one more writes for the actors. */
  readonly connections?: number;
  /** Whether nobody else may open it so until it is closed, as for a server. */
  readonly exclusive?: boolean;
  /** Milliseconds to wait for a database that does not answer yet, or for an earlier server's end. */
  readonly patience?: number;
  /** Told in one sentence what an owner should know. */
  readonly notice?: (message: string) => void;
  readonly clock?: Clock;
  readonly limits?: TimeLimits;
  /** The migrations of the program, for tests of migrating. */
  readonly migrations?: Readonly<Record<string, DialectMigration>>;
}

/** Milliseconds between two tries. */
const pause = 200;

/**
 * Opens the database and migrates it.
 *
 * @throws {StoreUnavailableError} when it does not answer, or another Parley runs on it.
 * @throws {StoreTooNewError} when a newer program has written it.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, name, connections = 5, limits = timeLimits } = options;
  const session = { url, name, connections, limits };
  const writer = new Writer(session);
  try {
    await patiently(options, () => checkServer(session));
    if (options.exclusive) await patiently(options, () => writer.lock());
    await patiently(options, () => bringUpToDate(options, writer));
    // Whoever has migrated only is in nobody's way.
    if (!options.exclusive) await patiently(options, () => writer.unlock());
    return new PostgresStore(session, writer, options.clock ?? systemClock);
  } catch (error) {
    await writer.close();
    if (error instanceof StoreTooNewError) {
      throw new StoreTooNewError(`${error.message} (${name})`, { cause: error });
    }
    throw error;
  }
}

/** What a database has had of the migrations, and has not. */
export async function postgresMigrationState(
  options: PostgresOptions,
): Promise<MigrationState> {
  return await withKysely(options, (kysely) => migrationState(kysely, options.migrations));
}

async function bringUpToDate(options: PostgresOptions, writer: Writer): Promise<void> {
  const known = options.migrations ?? migrations;
  await withKysely(options, async (kysely) => {
    const { applied, pending } = await migrationState(kysely, known);
    if (pending.length === 0) return;
    // Not while a server of an earlier version runs on it.
    await writer.lock();
    if (applied.length > 0) {
      options.notice?.(`Changing the database ${options.name} (${pending.join(", ")})`);
    }
    await migrate(kysely, "postgres", known);
  });
}

/** Only for what an operator waits for. */
async function withKysely<R>(
  { url, name, limits = timeLimits }: PostgresOptions,
  body: (kysely: Kysely<unknown>) => Promise<R>,
): Promise<R> {
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ url, name, limits }) });
  try {
    return await body(kysely);
  } catch (error) {
    throw translated("migrate", name, error);
  } finally {
    await kysely.destroy();
  }
}

async function checkServer(
  options: { url: string; name: string; connections: number; limits: TimeLimits },
): Promise<void> {
  const session = new Session({ ...options, connections: 1 });
  try {
    const [row] = await session.rows(
      "open",
      "select current_setting('server_encoding') as encoding, " +
        "current_setting('server_version_num')::int as version",
      [],
    );
    if (row!.encoding !== "UTF8") {
      throw new StoreUnavailableError(
        `Cannot use the database ${options.name}: its encoding is ${row!.encoding}; ` +
          `create one with the encoding UTF8`,
      );
    }
    if (Number(row!.version) < 130_000) {
      throw new StoreUnavailableError(
        `Cannot use the database ${options.name}: its PostgreSQL is older than 13; upgrade it`,
      );
    }
  } finally {
    await session.close();
  }
}

/** Tries again while the database is away, until patience ends. */
async function patiently(options: PostgresOptions, body: () => Promise<void>): Promise<void> {
  const end = performance.now() + (options.patience ?? 0);
  for (let told = false;; told = true) {
    try {
      await body();
      return;
    } catch (error) {
      if (!(error instanceof StoreAwayError) || performance.now() >= end) throw error;
      if (!told) options.notice?.(`${error.message}; trying again`);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
