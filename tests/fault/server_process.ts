/** The server as its own process, which can be killed. */
import { denoTransport } from "../../client/transport_deno.ts";
import { connect } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import type { Peer } from "../../client/peer.ts";
import { type AccountToken, addUsers } from "../../db/accounts.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import type { Store } from "../../db/store.ts";
import { MessageLog } from "../support/message_log.ts";

const ROOT = new URL("../..", import.meta.url);

/** How a process ended. */
export interface Ended {
  readonly code: number;
  /** Name of the signal that ended it. */
  readonly signal: string | null;
  /** What it wrote to its standard error. */
  readonly errors: string;
  /** Milliseconds since it was told to end, or was started. */
  readonly took: number;
}

/** A data folder with users, and the server's processes on it one after the other. */
export class ServerProcess implements AsyncDisposable {
  readonly dataDir: string;
  readonly users = new Map<string, AccountToken>();
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<Ended> | undefined;
  #begun = 0;
  #url = "";
  readonly #flags: readonly string[];
  readonly #ownsDir: boolean;
  readonly #env: Record<string, string>;
  readonly #openStore: () => Promise<Store>;

  private constructor(
    dataDir: string,
    flags: readonly string[],
    ownsDir: boolean,
    env: Record<string, string>,
    openStore: () => Promise<Store>,
  ) {
    this.#env = env;
    this.#openStore = openStore;
    this.dataDir = dataDir;
    this.#flags = flags;
    this.#ownsDir = ownsDir;
  }

  /** A folder with users, and no process yet. */
  static async prepare(
    logins: readonly string[] = [],
    options: {
      readonly flags?: readonly string[];
      readonly dataDir?: string;
      readonly env?: Record<string, string>;
      /** Where its data is, if not in a file of the folder. */
      readonly database?: { readonly url: string; readonly open: () => Promise<Store> } | undefined;
    } = {},
  ): Promise<ServerProcess> {
    const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "parley-fault-" });
    const { flags = [], env = {}, database } = options;
    const server = new ServerProcess(
      dataDir,
      flags,
      options.dataDir === undefined,
      { ...env, ...(database !== undefined && { DATABASE_URL: database.url }) },
      database?.open ?? (() => openSqlite({ path: `${dataDir}/parley.sqlite` })),
    );
    if (logins.length > 0) {
      await server.withStore(async (store) => {
        for (const account of await addUsers(store, logins, { admin: false })) {
          server.users.set(account.login, account);
        }
      });
    }
    return server;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts a process and waits until it listens. @throws {Error} it ended before */
  async start(): Promise<void> {
    const ended = this.#spawn();
    const { stdout } = this.#child as Deno.ChildProcess;
    let text = "";
    const decoder = new TextDecoder();
    const reader = stdout.getReader();
    let found: RegExpMatchArray | null = null;
    while (found === null) {
      const { done, value } = await reader.read();
      if (done) {
        this.#child = undefined;
        throw new Error(`The server has not started: ${(await ended).errors}`);
      }
      text += decoder.decode(value, { stream: true });
      found = text.match(/Parley listens on (https?:\/\/[^\s;,]+)/);
    }
    this.#url = found[1] as string;
    reader.releaseLock();
    // Nobody reads the rest, which must not stop the process.
    void stdout.pipeTo(new WritableStream()).catch(() => {});
  }

  /** Starts a process that cannot start, and waits for its end. */
  async startInVain(): Promise<Ended> {
    const ended = this.#spawn();
    await this.#child?.stdout.cancel();
    const result = await ended;
    this.#child = undefined;
    return result;
  }

  /** Ends the process without asking it. */
  async kill(): Promise<void> {
    await this.#signal("SIGKILL");
  }

  /** Asks the process to end. */
  async terminate(): Promise<Ended> {
    return await this.#signal("SIGTERM");
  }

  /** Opens the database, which no process may use meanwhile. */
  async withStore<T>(body: (store: Store) => Promise<T>): Promise<T> {
    const store = await this.#openStore();
    try {
      return await body(store);
    } finally {
      await store.close();
    }
  }

  /** Signs a user in. */
  async connect(login: string): Promise<{ readonly peer: Peer; readonly log: MessageLog }> {
    const { id, token } = this.users.get(login) as AccountToken;
    const dispatcher = new Dispatcher();
    const log = new MessageLog(dispatcher);
    const peer = await connect({
      serverUrl: this.#url,
      transport: denoTransport,
      credentials: { userId: id, token },
      dispatcher,
    });
    return { peer, log };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    if (this.#ownsDir) await Deno.remove(this.dataDir, { recursive: true });
  }

  #spawn(): Promise<Ended> {
    this.#begun = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "main.ts",
        "serve",
        ...(this.#flags.includes("--port") ? [] : ["--port", "0"]),
        "--data-dir",
        this.dataDir,
        ...(this.#flags.includes("--log-level") ? [] : ["--log-level", "warning"]),
        ...this.#flags,
      ],
      cwd: ROOT,
      env: this.#env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#ended = Promise.all([child.status, new Response(child.stderr).text()]).then(
      ([{ code, signal }, errors]) => ({
        code,
        signal,
        errors,
        took: performance.now() - this.#begun,
      }),
    );
    return this.#ended;
  }

  async #signal(signal: Deno.Signal): Promise<Ended> {
    this.#begun = performance.now();
    this.#child?.kill(signal);
    const ended = await (this.#ended as Promise<Ended>);
    this.#child = undefined;
    return ended;
  }
}
