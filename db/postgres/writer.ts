/** The one connection that writes for the actors, and the lock that makes the database a server's own. */
import type { SqlRow } from "../read_rows.ts";
import { StoreAwayError, StoreUnavailableError } from "../store.ts";
import { Session, type SessionOptions } from "./session.ts";

/** Key of the advisory lock: "parley" in ASCII. */
const lockKey = 0x7061726c6579n;

/**
 * A lock of PostgreSQL's ends with its connection. What is written goes through the connection that
 * holds it, so that nothing is written while the lock may be somebody else's.
 */
export class Writer {
  readonly #session: Session;
  readonly #name: string;
  #held = false;
  /** How many connections have ended. */
  #losses = 0;
  #epoch: number | undefined;

  constructor(options: Omit<SessionOptions, "connections" | "lost">) {
    this.#name = options.name;
    this.#session = new Session({
      ...options,
      connections: 1,
      lost: () => {
        this.#held = false;
        this.#losses++;
      },
    });
  }

  /** The epoch of this server: it does not go on writing after a later one has begun. */
  set epoch(epoch: number) {
    this.#epoch = epoch;
  }

  /**
   * Takes the lock, if it is not held yet.
   *
   * @throws {StoreAwayError} while another Parley has it.
   * @throws {StoreUnavailableError} when another one has been started meanwhile.
   */
  async lock(): Promise<void> {
    while (!this.#held) {
      const losses = this.#losses;
      const [answers] = await this.#session.together("lock", [
        `select pg_try_advisory_lock(${lockKey}) as held, ` +
        // What was answered has to survive a crash of the database.
        "case current_setting('synchronous_commit') when 'off' " +
        "then set_config('synchronous_commit', 'on', false) end as waits",
      ]);
      if (answers![0]!.held !== true) {
        throw new StoreAwayError(
          `Cannot use the database ${this.#name}: another Parley is running on it; ` +
            `stop that one, or give this one a database of its own`,
        );
      }
      // The connection may have ended behind its answer, and the lock with it.
      if (losses !== this.#losses) continue;
      this.#held = true;
      if (this.#epoch === undefined) continue;
      try {
        await this.#compareEpochs(this.#epoch);
      } catch (error) {
        // Never to be written under a lock that has not been looked at to the end.
        this.#held = false;
        throw error;
      }
    }
  }

  /** Runs statements as one transaction. */
  async together(action: string, statements: readonly string[]): Promise<SqlRow[][]> {
    await this.lock();
    return await this.#session.together(action, statements);
  }

  /** Lets the lock go. What is written later takes it again. @throws {StoreAwayError} */
  async unlock(): Promise<void> {
    if (!this.#held) return;
    await this.#session.together("unlock", ["select pg_advisory_unlock_all()"]);
    this.#held = false;
  }

  /** Lets the lock go and ends the connection. */
  async close(): Promise<void> {
    // It ends with the connection as well.
    await this.unlock().catch(() => {});
    await this.#session.close();
  }

  async #compareEpochs(own: number): Promise<void> {
    const [rows] = await this.#session.together("read from", [
      "select max(id)::bigint as latest from servers",
    ]);
    const latest = Number(rows![0]!.latest);
    if (latest === own) return;
    throw new StoreUnavailableError(
      `Cannot go on with the database ${this.#name}: another Parley was started on it while it ` +
        `was out of reach (start ${latest}, this is ${own}); stop one of the two`,
    );
  }
}
