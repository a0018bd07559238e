/** A client's connection to its server, over one socket after the other. [transport 3] */
import { type Clock, systemClock } from "../../lib/clock.ts";
import { connect, type ConnectOptions } from "../connect.ts";
import type { Dispatcher } from "../dispatcher.ts";
import { CanceledError, chainText, ConnectionClosedError } from "../errors.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { Peer } from "../peer.ts";
import { ResponseStream } from "../response_stream.ts";
import { connectionEvents } from "../telemetry/connection_events.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Account } from "./account.ts";
import { delayAfter, type Generation, type Random } from "./backoff.ts";
import { Login, type LoginOptions } from "./login.ts";
import {
  type ConnectionChart,
  type ConnectionEvent,
  type Opened,
  startConnectionChart,
} from "./machine.ts";
import { Notices } from "./notices.ts";
import { Rejoining } from "./rejoin.ts";
import { isSignedOut, type Status } from "./status.ts";

/** What a {@link Connection} is made with. */
export interface ConnectionOptions
  extends
    Omit<ConnectOptions, "credentials" | "http" | "signal" | "onOpen">,
    Pick<LoginOptions, "store" | "credentialsUrl" | "method" | "isImpersonating"> {
  readonly http: HttpClient;
  /** Whose rules hold: "auto", the default, asks the server. [transport 12.8] */
  readonly generation?: Generation | "auto" | undefined;
  readonly dispatcher: Dispatcher;
  /** For the waits between attempts; `Math.random` if not given. */
  readonly random?: Random | undefined;
  /** Treats accounts of the staff as all others. [transport 3.8.5] */
  readonly disableStaff?: boolean | undefined;
  /** Whether a change of the account is heard of over a WebSocket of its own. Default true. */
  readonly notices?: boolean | undefined;
  /** Hears of the connection's life; nothing is collected without it. */
  readonly telemetry?: Telemetry | undefined;
}

/** Status, commands, and the connection of the moment. */
export class Connection {
  readonly account: Account;
  /** What is taken back over each new connection. */
  readonly rejoining: Rejoining;
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  readonly #chart: ConnectionChart;
  readonly #listeners = new Set<(status: Status) => void>();
  readonly #streams = new Set<ResponseStream<Status>>();
  readonly #login: Login;
  readonly #notices: Notices;
  #serverUrl: string;
  #status: Status = { name: "SignedOut" };
  /** Statuses entered in a transition that is not over yet. */
  #entered: Status[] = [];
  #isTelling = false;
  #peer: Peer | undefined;
  #connections = 0;
  #isEnded = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#warn = options.warn ?? (() => {});
    this.#serverUrl = options.serverUrl;
    this.#login = this.#newLogin();
    this.account = new Account({
      serverUrl: () => this.#serverUrl,
      http: options.http,
      credentials: () => this.#login.credentials,
      systemId: options.systemId,
      warn: this.#warn,
    });
    this.rejoining = new Rejoining(this.#clock, this.#warn);
    this.#notices = new Notices({
      serverUrl: () => this.#serverUrl,
      credentials: () => this.#login.credentials,
      transport: options.transport,
      clock: this.#clock,
      random: options.random ?? Math.random,
      warn: this.#warn,
      userUpdated: () => void this.account.load(),
    });
    if (options.telemetry !== undefined) this.onStatus(connectionEvents(options.telemetry));
    this.#chart = startConnectionChart(
      {
        isKnown: () => this.#generation === "2025" && this.#login.credentials !== undefined,
        connectsAtOnce: () => this.#generation === "2025",
        authenticate: (tryStore, signal, mayAsk) =>
          this.#login.authenticate(tryStore, signal, mayAsk),
        open: (signal) => this.#open(signal),
        tearDown: () => this.#peer?.close(),
        delayAfter: (delay) =>
          delayAfter(delay, this.#generation ?? "2026", options.random ?? Math.random),
        now: () => this.#clock.now(),
        entered: (status) => void this.#entered.push(status),
        settled: () => this.#tell(),
      },
      this.#clock,
      (error) => this.#warn(`The connection's chart failed: ${chainText(error)}`),
    );
  }

  /** The status of the moment. */
  get status(): Status {
    return this.#status;
  }

  /** The peer of the moment, which may have ended; undefined before the first. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Credentials, and whose rules hold. */
  get login(): Login {
    return this.#login;
  }

  /** The server's address, as it was given. */
  get serverUrl(): string {
    return this.#serverUrl;
  }

  /**
   * Tells every status from now on, in order. Requests that a lost connection leaves behind have
   * failed before. [transport 12.10]
   *
   * @returns ends it.
   */
  onStatus(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The status of the moment and every one after it, until the connection is disposed. */
  statuses(): AsyncIterableIterator<Status> {
    const stream: ResponseStream<Status> = new ResponseStream(() => this.#streams.delete(stream));
    stream.push(this.#status);
    if (this.#isEnded) stream.end();
    else this.#streams.add(stream);
    return stream;
  }

  /**
   * Signs in; connects only where the rules of 2025 hold, or the account is of the staff.
   *
   * @param tryStore whether a stored login will do
   * @throws {Error} nobody is signed in.
   */
  async signIn({ tryStore = true } = {}): Promise<void> {
    if (this.#status.name === "Connected") return;
    await this.#attempt(
      { type: "signIn", tryStore },
      (status) =>
        status.name === "Authenticated" || status.name === "Reauthenticated" ||
        status.name === "Connected",
    );
  }

  /**
   * Signs in, and connects. Joins an attempt that is under way.
   *
   * @param tryStore whether a stored login will do
   * @throws {ConnectError} or a subclass that tells what to do.
   */
  async connect({ tryStore = true } = {}): Promise<void> {
    const { name } = this.#status;
    if (name === "Connected") return;
    const isUnderWay = name === "Connecting" || name === "Reconnecting";
    await this.#attempt(
      isUnderWay ? undefined : { type: "connect", tryStore },
      (status) => status.name === "Connected",
    );
  }

  /**
   * Does what an editor does when it starts: signs in with the login that the store holds, and
   * connects where the rules of 2025 hold or the account is of the staff. [transport 3.3.7] [transport 3.4.3]
   *
   * @returns whether there was a login; if not, nothing has happened.
   * @throws {Error} it could not be used.
   */
  async resume(): Promise<boolean> {
    if (!await this.#login.isStored()) return false;
    await this.signIn();
    return true;
  }

  /** Forgets the login, here and in the store, and ends the connection. [transport 3.8.1] */
  async signOut(): Promise<void> {
    const forgotten = this.#login.forget();
    this.#chart.send({ type: "signOut" });
    await forgotten;
  }

  /** Ends the connection, and keeps the login. [transport 3.8.3] */
  disconnect(): void {
    this.#chart.send({ type: "signOut" });
  }

  /**
   * Makes a new connection in place of this one, as after a loss. [transport 3.8.3]
   *
   * @throws {ConnectError} nobody is signed in, or the first attempt failed; others follow.
   */
  async reconnect(): Promise<void> {
    if (isSignedOut(this.#status)) throw new CanceledError("Cannot reconnect: nobody is signed in");
    await this.#attempt({ type: "reconnect" }, (status) => status.name === "Connected");
  }

  /** Goes to another server, with another login; at once if connected. [transport 3.8.4] */
  useServer(serverUrl: string): void {
    if (serverUrl === this.#serverUrl) return;
    this.#serverUrl = serverUrl;
    this.#login.move(serverUrl);
    void this.#notices.stop();
    if (this.#status.name === "Connected") this.#chart.send({ type: "reconnect" });
  }

  /** Ends everything; nothing can be done with it after. Resolves when all sockets have ended. */
  async end(): Promise<void> {
    await Promise.all([this.#end(), this.peer?.closed]);
  }

  #end(): Promise<void> {
    const ended = this.#notices.stop();
    if (this.#isEnded) return ended;
    this.disconnect();
    this.#isEnded = true;
    this.#chart.stop();
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
    return Promise.all([ended, this.#options.telemetry?.flush()]).then(() => {});
  }

  get #generation(): Generation | undefined {
    return this.#login.generation;
  }

  #newLogin(): Login {
    const { store, credentialsUrl, method, isImpersonating, generation, http } = this.#options;
    const { serverUrl } = this.#options;
    return new Login({
      ...{ serverUrl, store, credentialsUrl, method, isImpersonating, generation, http },
      warn: this.#warn,
    });
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    const { credentials } = this.#login;
    if (credentials === undefined) throw new CanceledError("Cannot connect: nobody is signed in");
    let peer: Peer;
    try {
      peer = await connect({
        ...this.#options,
        serverUrl: this.#serverUrl,
        credentials,
        signal,
        metricsId: this.account.user?.metricsId,
        onOpen: () => this.#login.accepted(),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#login.refused(error);
    }
    this.#peer = peer;
    peer.closed.then((reason) => {
      if (this.#peer !== peer) return;
      this.#chart.send(peer.isEndedHere ? { type: "ended" } : { type: "lost", reason });
    });
    return { peerId: peer.peerId!, connectionId: this.#connections++ };
  }

  /** Sends a command and waits for what becomes of it. */
  #attempt(
    event: ConnectionEvent | undefined,
    isReached: (status: Status) => boolean,
  ): Promise<void> {
    const { status } = this;
    if (status.name === "UpgradeRequired") return Promise.reject(status.error);
    if (this.#isEnded) return Promise.reject(new ConnectionClosedError("The client was closed"));
    return new Promise((resolve, reject) => {
      const check = () => {
        const { status } = this;
        if (isReached(status)) resolve();
        else if ("error" in status) reject(status.error);
        else if (isSignedOut(status)) {
          reject(new CanceledError("Authentication canceled: signed out meanwhile"));
        } else return;
        stop();
      };
      // Behind the whole transition: a status that it only passes decides nothing.
      const stop = this.onStatus(() => queueMicrotask(check));
      if (event !== undefined) this.#chart.send(event);
    });
  }

  /** Tells what a transition entered. A listener may cause the next transition: it comes behind. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let status = this.#entered.shift(); status; status = this.#entered.shift()) {
      this.#status = status;
      this.#act(status);
      for (const listener of [...this.#listeners]) {
        try {
          listener(status);
        } catch (error) {
          this.#warn(`A listener of the status failed: ${chainText(error)}`);
        }
      }
      for (const stream of this.#streams) stream.push(status);
    }
    this.#isTelling = false;
  }

  #act(status: Status): void {
    switch (status.name) {
      case "Connected":
        this.rejoining.connected();
        this.#loadAccount();
        return;
      case "Authenticated":
      case "Reauthenticated":
        this.#loadAccount();
        return;
      case "SignedOut":
        void this.#notices.stop();
        this.account.clear();
        this.rejoining.end("signed out");
        return;
      case "UpgradeRequired":
        void this.#notices.stop();
        this.rejoining.end(status.error.message);
        return;
      case "ConnectionLost":
        this.rejoining.lost(status.reason);
        return;
      default:
        this.rejoining.lost("the connection is made anew");
    }
  }

  async #loadAccount(): Promise<void> {
    if (this.#generation !== "2026") return;
    const { transport, notices = true, telemetry } = this.#options;
    // Pages have tickets for the main WebSocket only.
    if (notices && transport.canDiscover !== false) this.#notices.start();
    await this.account.load();
    telemetry?.signedIn(this.account.user);
    const isStaff = this.account.user?.isStaff && !this.#options.disableStaff;
    if (isStaff && !this.#isEnded) this.#chart.send({ type: "autoConnect" });
  }
}
