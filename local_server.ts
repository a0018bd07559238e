/**
 * A server of the local mode: on loopback without TLS, on the local network with it, paired by codes,
 * discovered by multicast DNS. [local 1]
 */
import { isLoopback } from "./http/client_address.ts";
import { localGuard } from "./http/local_guard.ts";
import { systemClock } from "./lib/clock.ts";
import type { LocalConfig } from "./lib/local_config.ts";
import { createLog, type Log } from "./lib/log.ts";
import { fingerprint } from "./local/certificate.ts";
import { IdentityFiles } from "./local/identity_files.ts";
import { Advertiser } from "./local/mdns/advertiser.ts";
import { type LocalAddress, localAddresses, NetworkList } from "./local/networks.ts";
import { PairingCodes } from "./local/pairing_codes.ts";
import type { Pairing, PairingCode } from "./local/port.ts";
import { PROTOCOL_VERSION } from "./proto/mod.ts";
import { type Endpoint, Server, type ServerParts } from "./server.ts";
import { VERSION } from "./version.ts";

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
  readonly #host: string;
  readonly #name: string;
  readonly #addresses: readonly LocalAddress[];
  #codes: PairingCodes | undefined;
  #server: Server | undefined;
  #advertiser: Advertiser | undefined;
  /** Hears each new pairing code. */
  onCode: (code: PairingCode) => void = () => {};

  /** @throws {TypeError} an allowed network is none */
  constructor(config: LocalConfig, parts: ServerParts = {}) {
    this.#config = config;
    this.#parts = parts;
    this.#log = parts.log ?? createLog();
    const hostname = Deno.hostname().split(".")[0]!.toLowerCase() || "parley";
    this.#host = `${hostname}.local`;
    this.#name = config.name ?? `Parley on ${hostname}`;
    this.#addresses = config.interfaces?.length === 0 ? [] : localAddresses(config.interfaces)
      // A link-local address is no address without its interface, which URLs cannot name.
      .filter(({ scope }) => scope === undefined);
  }

  /** The server, once started. @throws {Error} before */
  get server(): Server {
    if (this.#server === undefined) throw new Error("Cannot use the server: start it first");
    return this.#server;
  }

  /** Listens, and tells the network. @throws what {@link Server.start} throws */
  async start(): Promise<LocalPlace> {
    const { server: config, pairing, requireAuth, allowNetworks, mdnsEnabled } = this.#config;
    const clock = this.#parts.clock ?? systemClock;
    const identity = this.#addresses.length === 0 ? undefined : await this.#identity(clock.now());
    const print = identity && fingerprint(identity.certificate);
    const codes = new PairingCodes(clock, (code) => this.onCode(code));
    this.#codes = codes;
    const needsCode = (address: string) => isLoopback(address) ? requireAuth : pairing;
    const endpoints = identity === undefined ? [] : this.#endpoints(identity);
    this.#server = new Server(config, {
      ...this.#parts,
      pairing: asPairing(codes, print, needsCode),
      endpoints,
      guard: localGuard(
        new NetworkList(allowNetworks ?? this.#addresses.map(({ network }) => network)),
        [this.#host, ...this.#addresses.map(({ address }) => address)],
      ),
    });
    const { url } = await this.#server.start();
    const { port } = new URL(url);
    if (mdnsEnabled && print !== undefined) {
      this.#advertiser = await Advertiser.start({
        service: {
          name: this.#name,
          host: this.#host,
          port: Number(port),
          text: {
            version: VERSION,
            protocol: `${PROTOCOL_VERSION}`,
            name: this.#name,
            fingerprint: print,
            pairing: pairing ? "code" : "none",
            id: crypto.randomUUID(),
          },
        },
        addresses: this.#addresses,
        clock,
        log: this.#log,
      });
    }
    return {
      name: this.#name,
      loopbackUrl: url,
      networkUrls: identity === undefined
        ? []
        : this.#hosts().map((host) => `https://${host}:${port}`),
      fingerprint: print,
      discoveredAs: this.#advertiser?.name,
      code: pairing && identity !== undefined || requireAuth ? codes.current : undefined,
    };
  }

  /** Says goodbye and stops. Safe to call when the start has failed. */
  async stop(): Promise<void> {
    await this.#advertiser?.[Symbol.asyncDispose]();
    this.#codes?.end();
    await this.#server?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The certificate; in the folder of the data, which the server makes a moment later. */
  async #identity(now: number) {
    const { dataDir } = this.#config.server;
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await new IdentityFiles(dataDir).certificate({
      hosts: [this.#host, "localhost"],
      addresses: ["127.0.0.1", "::1", ...this.#addresses.map(({ address }) => address)],
    }, now);
  }

  #endpoints({ chain, key }: { readonly chain: string; readonly key: string }): Endpoint[] {
    return this.#addresses.map(({ address }) => ({ host: address, tls: { cert: chain, key } }));
  }

  /** As URLs have them, the name first. */
  #hosts(): readonly string[] {
    const addresses = this.#addresses.map(({ address, family }) =>
      family === "ipv6" ? `[${address}]` : address
    );
    return this.#config.mdnsEnabled ? [this.#host, ...addresses] : addresses;
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
