import { zstdCompressSync } from "node:zlib";
import { type ClientOptions, CollabClient } from "../../client/collab_client.ts";
import { connect, type ConnectOptions } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import type { Peer } from "../../client/peer.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { addUsers } from "../../db/accounts.ts";
import { loadConfig } from "../../lib/load_config.ts";
import type { ProtocolTimes } from "../../lib/times.ts";
import { createServer, type Server, type ServerParts } from "../../server.ts";
import { databaseOfTests, type TestDatabase } from "./database.ts";
import { MessageLog } from "./message_log.ts";
import { TestPeer, type TestPeerOptions } from "./test_peer.ts";
import { waitUntil } from "./wait_until.ts";

/** How a {@link TestServer} differs from a plain one. */
export interface TestServerOptions {
  /** Further flags of `serve`, as `["--sign-up", "open"]`. */
  readonly flags?: readonly string[];
  /** Where the data is; without it in a temporary folder that goes with the server. */
  readonly dataDir?: string;
  readonly parts?: ServerParts;
  /** Times in milliseconds that are not those of the protocol. */
  readonly times?: Partial<ProtocolTimes>;
}

/** An account as it was added. */
export interface TestUser {
  readonly id: number;
  readonly login: string;
  readonly token: string;
}

/** How a client connects to a {@link TestServer}. */
export interface TestConnectOptions
  extends Partial<Omit<ConnectOptions, "credentials" | "dispatcher">> {
  /** What the client claims to be: `0.191.0` is of 2025. */
  readonly version?: string;
  /** Whether messages are compressed as Zed's are. */
  readonly likeZed?: boolean;
}

/** A connection as a test looks at it. */
export interface TestConnection {
  readonly peer: Peer;
  /** All messages since `Hello`. */
  readonly log: MessageLog;
}

/** A server in this process with users and connections, all of which end with it. */
export class TestServer implements AsyncDisposable {
  #server: Server;
  #url = "";
  readonly #options: TestServerOptions;
  readonly #dataDir: string;
  readonly #database: TestDatabase | undefined;
  readonly #users = new Map<string, TestUser>();
  readonly #open: { close(): void; readonly peer: { readonly closed: Promise<string> } }[] = [];
  readonly #peers: TestPeer[] = [];

  private constructor(
    options: TestServerOptions,
    dataDir: string,
    database: TestDatabase | undefined,
  ) {
    this.#options = options;
    this.#database = database;
    this.#dataDir = dataDir;
    this.#server = this.#create("0");
  }

  /** Starts one; see {@link startServer}. */
  static async start(options: TestServerOptions): Promise<TestServer> {
    const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "parley-test-" });
    const ownStore = options.parts?.store !== undefined ||
      options.flags?.some((flag) => flag.startsWith("--database-url"));
    const database = ownStore ? undefined : await databaseOfTests(dataDir);
    const server = new TestServer(options, dataDir, database);
    await server.#start();
    return server;
  }

  /** Where it listens. */
  get url(): string {
    return this.#url;
  }

  get server(): Server {
    return this.#server;
  }

  get dataDir(): string {
    return this.#dataDir;
  }

  /** Adds an account; the one of that login if there is one. */
  async addUser(login: string, { admin = false } = {}): Promise<TestUser> {
    let user = this.#users.get(login);
    if (user === undefined) {
      const [added] = await addUsers(this.#server.store, [login], { admin });
      user = added as TestUser;
      this.#users.set(login, user);
    }
    return user;
  }

  /** Signs a user in, who is added if he is not there. */
  async connect(login: string, options: TestConnectOptions = {}): Promise<TestConnection> {
    const dispatcher = new Dispatcher();
    const log = new MessageLog(dispatcher);
    const peer = await connect({ ...await this.#connectOptions(login, options), dispatcher });
    this.#open.push({ peer, close: () => peer.close() });
    return { peer, log };
  }

  /** Signs a user in with a connection that writes down every envelope. */
  async raw(login: string, options: TestPeerOptions = {}): Promise<TestPeer> {
    const user = await this.addUser(login);
    const peer = await TestPeer.connect({ url: this.#url, user }, options);
    this.#open.push({ peer, close: () => void peer.close() });
    this.#peers.push(peer);
    return peer;
  }

  /** Signs a user in with a whole client, which handles contacts by itself. */
  async client(
    login: string,
    options: TestConnectOptions & Partial<ClientOptions> = {},
  ): Promise<CollabClient> {
    const client = await CollabClient.connect(await this.#connectOptions(login, options));
    this.#open.push(client);
    return client;
  }

  /** Makes two users contacts of each other, so that one may call the other. */
  async befriend(a: CollabClient, b: CollabClient): Promise<void> {
    await a.requestContact(b.userId);
    await b.acceptContact(a.userId);
  }

  /**
   * Resolves when what the server has been sent is stored and nobody's contacts are being read: an
   * embedded database is done with that before an answer arrives, a remote one is not. A store that a
   * test has given is its own to wait for.
   */
  async rest(): Promise<void> {
    if (this.#options.parts?.store !== undefined) return;
    const { journal, registry } = this.#server.actors;
    const loading = () =>
      [...registry.users.values(), ...registry.notes.values()]
        .some((actor) => "phase" in actor && actor.phase === "loading");
    await waitUntil(() => journal.failure !== undefined || !journal.busy && !loading(), {
      describe: "the server to be at rest",
    });
  }

  /**
   * Ends the server as a signal would, and starts another on the same data and port. Those who only
   * write down what they are told know by then that their connection has ended.
   */
  async restart(): Promise<void> {
    await this.#server.stop();
    await Promise.all(this.#peers.map(({ closed }) => closed));
    this.#server = this.#create(new URL(this.#url).port);
    await this.#start();
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.close();
    await Promise.all(this.#open.map(({ peer }) => peer.closed));
    await this.#server.stop();
    if (this.#options.dataDir === undefined) {
      await Deno.remove(this.#dataDir, { recursive: true });
      await this.#database?.drop();
    }
  }

  async #connectOptions(login: string, options: TestConnectOptions): Promise<ConnectOptions> {
    const { version, likeZed, ...rest } = options;
    const user = await this.addUser(login);
    return {
      serverUrl: this.#url,
      transport: denoTransport,
      credentials: { userId: user.id, token: user.token },
      ...(version !== undefined && { appVersion: version }),
      ...(likeZed && { compress: (plain: Uint8Array) => zstdCompressSync(plain) }),
      ...rest,
    };
  }

  #create(port: string): Server {
    const flags = [
      ...["--port", port, "--data-dir", this.#dataDir],
      ...this.#database === undefined ? [] : ["--database-url", this.#database.url],
      ...this.#options.flags ?? [],
    ];
    const config = loadConfig(flags, {});
    const times = { ...config.times, ...this.#unhurried(), ...this.#options.times };
    return createServer({ ...config, times }, this.#options.parts);
  }

  /** What goes by the machine's own time must not end a connection because the machine is busy. */
  #unhurried(): Partial<ProtocolTimes> {
    const long = 120_000;
    if (this.#options.parts?.clock !== undefined) return { idle: long };
    return { idle: long, handshake: long, stuck: long };
  }

  async #start(): Promise<void> {
    this.#url = (await this.#server.start()).url;
  }
}

/** Starts a server on a free port with data of its own; `await using` ends it. */
export function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  return TestServer.start(options);
}
