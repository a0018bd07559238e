/**
 * The composition root: from a configuration to a running server. The only file, besides the command
 * line and the tests, that names concrete drivers.
 */
import type { EventKind, ServerEvent } from "./actors/events.ts";
import { Actors } from "./actors/start.ts";
import { type Listeners, noListeners } from "./actors/stored_events.ts";
import { type AccountToken, addUsers } from "./db/accounts.ts";
import { Passwords } from "./db/passwords.ts";
import type { Store } from "./db/store.ts";
import { Admission } from "./http/admission.ts";
import { ExtensionRegistry } from "./http/extensions/extension_registry.ts";
import { FolderArchives } from "./http/extensions/folder_archives.ts";
import { GuessLimit } from "./http/guess_limit.ts";
import type { Payments } from "./http/billing/payments.ts";
import { Plans } from "./http/plans.ts";
import { RequestLimits } from "./http/request_limits.ts";
import { strategiesOf } from "./http/strategies.ts";
import { accountPolicyOf } from "./http/client_api/account_policy.ts";
import { SignIn } from "./http/signin/sign_in.ts";
import { SocketTickets } from "./http/socket_tickets.ts";
import { type Endpoint, Endpoints } from "./http/endpoints.ts";
import { Notices } from "./http/client_api/notices.ts";
import { TelemetryFiles } from "./http/client_api/telemetry_files.ts";
import { type HttpHandler, Listener } from "./http/listener.ts";
import type { Guard } from "./http/local_guard.ts";
import { type Certificate, readCertificate } from "./http/certificate.ts";
import { CertificateWatch } from "./http/certificate_watch.ts";
import { plainText } from "./http/responses.ts";
import { handleRequest, type HttpDeps } from "./http/routes.ts";
import {
  createAdminSecret,
  localUrl,
  removeRunningServer,
  writeRunningServer,
} from "./http/running_server.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import type { Config } from "./lib/config.ts";
import type { EventStream, StreamOptions } from "./lib/event_streams.ts";
import { type DataDir, lockDatabase, lockDataDir, makeDataDir } from "./lib/data_dir.ts";
import { createLog, type Log } from "./lib/log.ts";
import { createMetrics, type Metrics } from "./lib/metrics.ts";
import { mediaOff } from "./media/off.ts";
import type { Pairing } from "./local/port.ts";
import type { MediaServer } from "./media/port.ts";
import { prepareZstd } from "./rpc/zstd.ts";
import { VERSION } from "./version.ts";

/** What a server may be given instead of what the configuration says; for tests and for embedding. */
export interface ServerParts {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly media?: MediaServer;
  /** Hashes of another cost. */
  readonly passwords?: Passwords;
  /** Devices get in by codes, as in local mode. */
  readonly pairing?: Pairing;
  /** Sees every request first. */
  readonly guard?: Guard;
  /** An open store: the data folder is then neither made nor locked. */
  readonly store?: Store;
  /** Who hears of events, where they were there before the server. */
  readonly listeners?: Listeners;
}

/** A Parley server. Several may run in one process, on data folders of their own. */
export class Server {
  readonly #config: Config;
  readonly #parts: ServerParts;
  readonly #log: Log;
  readonly #failure = Promise.withResolvers<Error>();
  readonly metrics: Metrics = createMetrics();
  readonly #adminSecret = createAdminSecret();
  /** Clients that wait to hear of changes of their account. */
  readonly notices: Notices;
  #dataDir: DataDir | undefined;
  #databaseLock: DataDir | undefined;
  #store: Store | undefined;
  #actors: Actors | undefined;
  #http: Listener | undefined;
  /** Plain HTTP for the commands of this machine, where clients are served over HTTPS. */
  #commands: Listener | undefined;
  #endpoints: Endpoints | undefined;
  #certificateWatch: CertificateWatch | undefined;
  readonly #listeners: Listeners;
  #url: string | undefined;
  /** Answers requests once everything is there; who asks before waits. */
  readonly #handler = Promise.withResolvers<HttpHandler>();

  constructor(config: Config, parts: ServerParts = {}) {
    this.#config = config;
    this.#parts = parts;
    this.#log = parts.log ?? createLog();
    this.notices = new Notices(config.maxConnections);
    this.#listeners = parts.listeners ?? noListeners();
  }

  /** Resolves when the server cannot go on and should be stopped: the database is gone. */
  get failed(): Promise<Error> {
    return this.#failure.promise;
  }

  /** The URL of this machine's own clients, once started. @throws {Error} before */
  get url(): string {
    if (this.#url === undefined) throw new Error("Cannot tell the URL: start the server first");
    return this.#url;
  }

  /** The port it listens on, once started. @throws {Error} before */
  get port(): number {
    if (this.#http === undefined) throw new Error("Cannot tell the port: start the server first");
    return this.#http.port;
  }

  /**
   * What happens from now on, in its order, told when it is stored; ends when the server has stopped.
   * Who is slow loses the oldest of what waits and gets a `lagged` in its place. [local 7]
   *
   * @throws {RangeError} there is no such kind, or the queue's length is out of bounds
   */
  events(options?: StreamOptions<EventKind>): EventStream<ServerEvent> {
    return this.#listeners.open(options) as EventStream<ServerEvent>;
  }

  /**
   * Adds an account with a first token, once started.
   *
   * @throws {InvalidLoginError} {LoginTakenError} the login cannot be had
   */
  async addUser(
    login: string,
    { admin = false }: { readonly admin?: boolean } = {},
  ): Promise<AccountToken> {
    const [added] = await addUsers(this.store, [login], { admin });
    return added as AccountToken;
  }

  /** The actors, once started. @throws {Error} before */
  get actors(): Actors {
    if (this.#actors === undefined) {
      throw new Error("Cannot use the actors: start the server first");
    }
    return this.#actors;
  }

  /** The database, once started. @throws {Error} before */
  get store(): Store {
    if (this.#store === undefined) throw new Error("Cannot use the store: start the server first");
    return this.#store;
  }

  /**
   * Opens the database, brings back what was there, and listens.
   *
   * @returns the URL of this machine's own clients
   * @throws {DataDirError} {StoreTooNewError} {StoreUnavailableError} and what listening throws
   */
  async start(): Promise<{ url: string }> {
    const { host, port, dataDir, mode, tls } = this.#config;
    prepareZstd();
    const pem = tls && await readCertificate(tls);
    if (this.#parts.store === undefined) await this.#takeDataDir();
    const clock = this.#parts.clock ?? systemClock;
    this.#store = this.#parts.store ?? await this.#openStore(clock);
    // Taken first, so that a port in use is found before anything changes.
    const listening = {
      clock,
      log: this.#log,
      handler: async (request: Request, peer: string) =>
        this.#parts.guard?.(request, peer) ?? await (await this.#handler.promise)(request, peer),
    };
    this.#http = new Listener({ ...listening, host, port, ...(pem && { tls: pem }) });
    if (pem) this.#certificateWatch = this.#watchCertificate(this.#http, pem, clock);
    const { port: own } = this.#http;
    this.#endpoints = new Endpoints((endpoint) =>
      new Listener({ ...listening, ...endpoint, port: own })
    );
    const url = localUrl(host, own, tls ? "https" : "http");
    // A certificate names the server as clients know it, not as this machine's commands do.
    if (tls) this.#commands = new Listener({ ...listening, host: "127.0.0.1", port: 0 });
    const ownUrl = this.#commands ? localUrl("127.0.0.1", this.#commands.port) : url;
    const actors = await Actors.start({
      store: this.#store,
      clock,
      times: this.#config.times,
      media: this.#parts.media ?? await mediaServer(this.#config, clock),
      accounts: accountPolicyOf(this.#config, clock),
      agents: this.#config.agents,
      metrics: this.metrics,
      log: this.#log,
      avatarUrl: (userId) => `${this.#config.publicUrl ?? url}/avatars/${userId}.png`,
      listeners: this.#listeners,
      failed: (error) => this.#failure.resolve(error),
      idle: mode === "api",
    });
    this.#actors = actors;
    const strategies = strategiesOf(this.#config);
    const deps: HttpDeps = {
      config: this.#config,
      actors,
      admission: new Admission(
        this.#store,
        this.#config.maxConnections,
        () => actors.registry.connections.size,
        strategies,
      ),
      strategies,
      notices: this.notices,
      telemetry: this.#config.storesTelemetry
        ? new TelemetryFiles({ dataDir, clock: actors.clock, log: this.#log })
        : undefined,
      plans: new Plans(this.#store, actors.accounts, this.#config.billing !== undefined),
      payments: await paymentsOf(this.#config),
      limits: new RequestLimits(actors.clock, this.#config, this.metrics),
      tickets: new SocketTickets(actors.clock),
      guesses: new GuessLimit(actors.clock, this.#config.trustedProxies),
      signIn: new SignIn({
        store: this.#store,
        clock: actors.clock,
        log: this.#log,
        passwords: this.#parts.passwords ?? new Passwords(),
        config: this.#config.signIn,
      }),
      pairing: this.#parts.pairing,
      store: this.#store,
      extensions: await extensionRegistry(this.#config, this.#store, this.#log),
      metrics: this.metrics,
      log: this.#log,
      adminSecret: this.#adminSecret,
      version: VERSION,
    };
    this.#handler.resolve((request, peer) => handleRequest(request, deps, peer));
    if (this.#dataDir !== undefined) {
      await writeRunningServer(dataDir, {
        url: ownUrl,
        ...(tls && { clientUrl: this.#config.publicUrl ?? url }),
        pid: Deno.pid,
        adminSecret: this.#adminSecret,
      });
    }
    this.#url = url;
    return { url };
  }

  /**
   * Listens on these addresses besides its own, on the same port; on those of an earlier call no more.
   *
   * @returns what could not be listened on, by host
   * @throws {Error} it is not started
   */
  async listenOn(endpoints: readonly Endpoint[]): Promise<ReadonlyMap<string, unknown>> {
    if (this.#endpoints === undefined) throw new Error("Cannot listen: start the server first");
    return await this.#endpoints.set(endpoints);
  }

  /** Ends connections, stores what is open, closes. Safe to call when the start has failed. */
  async stop(): Promise<void> {
    if (this.#dataDir !== undefined) {
      await removeRunningServer(this.#config.dataDir, this.#adminSecret);
    }
    this.#certificateWatch?.end();
    await this.#actors?.drain();
    this.#listeners.end();
    this.notices.endAll();
    // Whoever asked a server that did not come up would keep it from ending.
    this.#handler.resolve(() => Promise.resolve(plainText(503, "the server is stopping")));
    const listeners = [this.#http, this.#commands, this.#endpoints];
    await Promise.all(listeners.map((listener) => listener?.close()));
    // Nothing waits for what comes after the end, such as a lost client's return.
    this.#actors?.clock.end();
    if (this.#parts.store === undefined) await this.#store?.close();
    this.#databaseLock?.release();
    this.#dataDir?.release();
    this.#dataDir = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #watchCertificate(http: Listener, certificate: Certificate, clock: Clock): CertificateWatch {
    const [files, log] = [this.#config.tls!, this.#log];
    const renewed = (pem: Certificate) => http.renew(pem);
    return new CertificateWatch({ files, certificate, clock, log, renewed });
  }

  /** Beside the process that has the connections another one may serve the database's part. */
  async #takeDataDir(): Promise<void> {
    const { dataDir, database, mode } = this.#config;
    if (mode === "api") return await makeDataDir(dataDir);
    const own = await lockDataDir(dataDir);
    try {
      if (database.kind === "sqlite" && database.path !== ":memory:") {
        this.#databaseLock = await lockDatabase(database.path, dataDir);
      }
      this.#dataDir = own;
    } finally {
      if (this.#dataDir === undefined) own.release();
    }
  }

  /** The database of the configuration; only its own driver is loaded. */
  async #openStore(clock: Clock): Promise<Store> {
    const { database, databaseConnections, mode, times } = this.#config;
    const notice = (message: string) => this.#log.info(message);
    if (database.kind === "sqlite") {
      const { openSqlite } = await import("./db/sqlite/open.ts");
      return await openSqlite({ path: database.path, clock, notice });
    }
    const { openPostgres } = await import("./db/postgres/open.ts");
    return await openPostgres({
      url: database.url.reveal(),
      name: database.name,
      connections: databaseConnections,
      exclusive: mode !== "api",
      patience: times.recovery / 2,
      clock,
      notice,
    });
  }
}

/** The registry of the configuration; the client of a bucket is loaded only where there is one. */
async function extensionRegistry(
  { blobStore, extensionsDir, upstreams, dataDir }: Config,
  store: Store,
  log: Log,
): Promise<ExtensionRegistry | undefined> {
  if (blobStore !== undefined) {
    const { BucketArchives } = await import("./http/extensions/bucket_archives.ts");
    return new ExtensionRegistry(new BucketArchives(blobStore), store.extensions, log);
  }
  if (extensionsDir === undefined && upstreams.extensions !== undefined) return undefined;
  const archives = new FolderArchives(extensionsDir ?? `${dataDir}/extensions`);
  return new ExtensionRegistry(archives, store.extensions, log);
}

/** The media server of the configuration; its SDK is loaded only where there is one. */
async function mediaServer({ liveKit, times }: Config, clock: Clock): Promise<MediaServer> {
  if (liveKit === undefined) return mediaOff;
  const { LiveKit } = await import("./media/livekit.ts");
  return new LiveKit({
    url: liveKit.server,
    key: liveKit.key,
    secret: liveKit.secret.reveal(),
    timeLimit: times.media,
    now: () => clock.now(),
  });
}

/** The payment provider of the configuration; its library is loaded only where there is one. */
async function paymentsOf({ billing }: Config): Promise<Payments | undefined> {
  if (billing === undefined) return undefined;
  const { StripePayments } = await import("./http/billing/stripe.ts");
  return new StripePayments(billing);
}

/** A server for that configuration; {@link Server.start} runs it. */
export function createServer(config: Config, parts: ServerParts = {}): Server {
  return new Server(config, parts);
}
