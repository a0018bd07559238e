/**
 * A server of the local mode: on loopback without TLS, on the local network with it, paired by codes,
 * discovered by multicast DNS. [local 1]
 */
import type { EventKind, ServerEvent } from "./actors/events.ts";
import { type Listeners, noListeners } from "./actors/stored_events.ts";
import { isLoopback } from "./http/client_address.ts";
import type { Endpoint } from "./http/endpoints.ts";
import { type GuardScope, localGuard } from "./http/local_guard.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import type { EventStream, StreamOptions } from "./lib/event_streams.ts";
import type { LocalConfig } from "./lib/local_config.ts";
import { createLog, type Log } from "./lib/log.ts";
import { AddressWatch } from "./local/address_watch.ts";
import { fingerprint } from "./local/certificate.ts";
import { IdentityFiles, type ServerIdentity } from "./local/identity_files.ts";
import { Advertiser } from "./local/mdns/advertiser.ts";
import { type LocalAddress, NetworkList } from "./local/networks.ts";
import { PairingCodes } from "./local/pairing_codes.ts";
import type { Pairing, PairingCode } from "./local/port.ts";
import { PROTOCOL_VERSION } from "./proto/mod.ts";
import { Server, type ServerParts } from "./server.ts";
import { VERSION } from "./version.ts";

/** Milliseconds between two looks whether the certificate is still good. */
const RENEWAL_PAUSE = 60 * 60 * 1000;

/** Where a local server is, once it runs. */
export interface LocalPlace {
  readonly name: string;
  /** For programs of this machine, without TLS. */
  readonly loopbackUrl: string;
  /** For other machines, the host name's first; none where it listens on loopback alone. */
  readonly networkUrls: readonly string[];
  /** Of the certificate that other machines see. */
  readonly fingerprint: string | undefined;
  /** The name by which it is discovered; undefined where it is not. */
  readonly discoveredAs: string | undefined;
  /** The code for other machines; undefined where they need none, or cannot come. */
  readonly code: PairingCode | undefined;
}

/** A local server; {@link LocalServer.start} runs it. */
export class LocalServer implements AsyncDisposable {
  readonly #config: LocalConfig;
  readonly #parts: ServerParts;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #listeners: Listeners;
  readonly #host: string;
  readonly #name: string;
  /** Tells two servers of one name apart. */
  readonly #id = crypto.randomUUID();
  readonly #watch: AddressWatch;
  #scope: GuardScope;
  /** By address, each with the certificate that it began with. */
  #endpoints = new Map<string, Endpoint>();
  #codes: PairingCodes | undefined;
  #identity: ServerIdentity | undefined;
  #checkedAt = 0;
  /** Some address could not be listened on at the last try. */
  #isIncomplete = false;
  #server: Server | undefined;
  #url = "";
  #advertiser: Advertiser | undefined;
  #discoveredAs: string | undefined;
  #ended = false;
  /** What the last look has begun. */
  #moving: Promise<void> = Promise.resolve();
  /** Hears each new pairing code, where one is needed. */
  onCode: (code: PairingCode) => void = () => {};
  /** Hears where the server is when that has changed: other addresses, another name. */
  onMoved: (place: LocalPlace) => void = () => {};

  /** @throws {TypeError} an allowed network is none */
  constructor(config: LocalConfig, parts: ServerParts = {}) {
    this.#config = config;
    this.#parts = parts;
    this.#log = parts.log ?? createLog();
    this.#clock = parts.clock ?? systemClock;
    this.#listeners = parts.listeners ?? noListeners();
    const hostname = Deno.hostname().split(".")[0]!.toLowerCase() || "parley";
    this.#host = `${hostname}.local`;
    this.#name = config.name ?? `Parley on ${hostname}`;
    this.#watch = new AddressWatch({
      clock: this.#clock,
      interfaces: config.interfaces,
      looked: (isChanged) => this.#moving = this.#looked(isChanged),
    });
    this.#scope = this.#scopeOf(this.#watch.addresses);
  }

  /** The server, once started. @throws {Error} before */
  get server(): Server {
    if (this.#server === undefined) throw new Error("Cannot use the server: start it first");
    return this.#server;
  }

  /** As {@link Server.events}. */
  events(options?: StreamOptions<EventKind>): EventStream<ServerEvent> {
    return this.#listeners.open(options) as EventStream<ServerEvent>;
  }

  /** Where it is now, once started. */
  get place(): LocalPlace {
    return {
      name: this.#name,
      loopbackUrl: this.#url,
      networkUrls: this.#hosts().map((host) => `https://${host}:${this.#port}`),
      fingerprint: this.#print,
      discoveredAs: this.#discoveredAs,
      code: this.#usesCodes ? this.#codes?.current : undefined,
    };
  }

  /** Listens, and begins to tell the network. @throws what {@link Server.start} throws */
  async start(): Promise<LocalPlace> {
    const { server: config, pairing, requireAuth } = this.#config;
    this.#warnOfUnknown();
    await this.#renew(this.#watch.addresses);
    const codes = new PairingCodes(this.#clock, (code) => {
      if (this.#usesCodes) this.onCode(code);
    });
    this.#codes = codes;
    this.#server = new Server(config, {
      ...this.#parts,
      listeners: this.#listeners,
      pairing: asPairing(
        codes,
        this.#print,
        (address) => isLoopback(address) ? requireAuth : pairing,
      ),
      guard: localGuard(() => this.#scope),
    });
    this.#url = (await this.#server.start()).url;
    await this.#listen(this.#watch.addresses);
    this.#advertise(this.#watch.addresses);
    if (!this.#isAlone) this.#watch.start();
    return this.place;
  }

  /** Says goodbye and stops. Safe to call when the start has failed. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#watch.end();
    await this.#moving;
    await this.#advertiser?.[Symbol.asyncDispose]();
    this.#codes?.end();
    await this.#server?.stop();
    this.#listeners.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** On loopback only, as its operator wants it. */
  get #isAlone(): boolean {
    return this.#config.interfaces?.length === 0;
  }

  get #usesCodes(): boolean {
    return this.#config.pairing && !this.#isAlone || this.#config.requireAuth;
  }

  get #port(): string {
    return new URL(this.#url).port;
  }

  get #print(): string | undefined {
    return this.#identity && fingerprint(this.#identity.certificate);
  }

  /** Follows this machine from network to network, and renews the certificate in time. */
  async #looked(isChanged: boolean): Promise<void> {
    if (this.#ended) return;
    const { addresses } = this.#watch;
    const isDue = this.#clock.now() - this.#checkedAt >= RENEWAL_PAUSE;
    try {
      if (isChanged || isDue) await this.#renew(addresses, isDue);
      if (isChanged) this.#scope = this.#scopeOf(addresses);
      if (isChanged || isDue || this.#isIncomplete) await this.#listen(addresses);
      if (!isChanged) return;
      this.#log.info("This machine has other addresses: {addresses}", {
        addresses: addresses.map(({ address }) => address).join(" ") || "none",
      });
      await this.#advertiser?.[Symbol.asyncDispose]();
      this.#advertise(addresses);
      this.onMoved(this.place);
    } catch (error) {
      // The certificate's files; what was there before goes on.
      this.#log.error("Cannot follow this machine's addresses: {error}; trying again", { error });
      this.#isIncomplete = true;
    }
  }

  /** It may come later, as that of a cable; a mistyped one never does. */
  #warnOfUnknown(): void {
    const there = new Set(Deno.networkInterfaces().map(({ name }) => name));
    for (const name of this.#config.interfaces ?? []) {
      if (there.has(name)) continue;
      this.#log.warn("No interface is called {name} now; there are {there}", {
        name,
        there: [...there].join(", "),
      });
    }
  }

  /** Takes the certificate for these addresses, a new one where the old one is outdated. */
  async #renew(addresses: readonly LocalAddress[], isDue = true): Promise<void> {
    if (this.#isAlone) return;
    const { dataDir } = this.#config.server;
    // The server makes it a moment later.
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    const before = this.#identity?.certificate;
    this.#identity = await new IdentityFiles(dataDir).certificate({
      hosts: [this.#host, "localhost"],
      addresses: ["127.0.0.1", "::1", ...addresses.map(({ address }) => address)],
    }, this.#clock.now());
    if (!isDue) return;
    this.#checkedAt = this.#clock.now();
    // It is near its end, or another has signed: every address shows the new one, and begins anew.
    if (before !== this.#identity.certificate) this.#endpoints.clear();
  }

  async #listen(addresses: readonly LocalAddress[]): Promise<void> {
    const { certificate, chain, key } = this.#identity ?? {};
    if (certificate === undefined || chain === undefined || key === undefined) return;
    this.#endpoints = new Map(addresses.map(({ address }) => [
      address,
      // One that stays keeps its connections: its certificate names it as well as the new one.
      this.#endpoints.get(address) ?? { host: address, tls: { cert: chain, key } },
    ]));
    const failed = await this.server.listenOn([...this.#endpoints.values()]);
    for (const [host, error] of failed) {
      if (error instanceof Deno.errors.AddrInUse && !this.#watch.isStarted) throw error;
      this.#log.warn("Cannot listen on {host} yet: {reason}; trying again", {
        host,
        reason: (error as Error).message,
      });
    }
    this.#isIncomplete = failed.size > 0;
  }

  #advertise(addresses: readonly LocalAddress[]): void {
    const print = this.#print;
    if (!this.#config.mdnsEnabled || print === undefined || this.#ended) return;
    this.#discoveredAs = addresses.some(({ family }) => family === "ipv4") ? this.#name : undefined;
    this.#advertiser = Advertiser.begin({
      service: {
        name: this.#name,
        host: this.#host,
        port: Number(this.#port),
        text: {
          version: VERSION,
          protocol: `${PROTOCOL_VERSION}`,
          name: this.#name,
          fingerprint: print,
          pairing: this.#config.pairing ? "code" : "none",
          id: this.#id,
        },
      },
      addresses,
      clock: this.#clock,
      log: this.#log,
      named: (name) => {
        if (name === this.#discoveredAs) return;
        this.#discoveredAs = name;
        this.onMoved(this.place);
      },
    });
  }

  #scopeOf(addresses: readonly LocalAddress[]): GuardScope {
    return {
      allowed: new NetworkList(
        this.#config.allowNetworks ?? addresses.map(({ network }) => network),
      ),
      hosts: new Set([this.#host, ...addresses.map(({ address }) => address)]),
    };
  }

  /** As URLs have them, the name first. */
  #hosts(): readonly string[] {
    const addresses = this.#watch.addresses.map(({ address, family }) =>
      family === "ipv6" ? `[${address}]` : address
    );
    return this.#config.mdnsEnabled && addresses.length > 0
      ? [this.#host, ...addresses]
      : addresses;
  }
}

function asPairing(
  codes: PairingCodes,
  fingerprint: string | undefined,
  needsCode: Pairing["needsCode"],
): Pairing {
  return {
    get current() {
      return codes.current;
    },
    fingerprint,
    needsCode,
    redeem: (...args) => codes.redeem(...args),
    forLogin: (login) => codes.forLogin(login),
    unlock: () => codes.unlock(),
  };
}

/** A local server for that configuration. */
export function createLocalServer(config: LocalConfig, parts: ServerParts = {}): LocalServer {
  return new LocalServer(config, parts);
}
