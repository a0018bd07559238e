/** Multicast DNS on one interface. [local 2] */
// @ts-types="./multicast_dns.d.ts"
import makeMulticastDns from "multicast-dns";
import type { MulticastDns, Packet, Remote } from "./multicast_dns.d.ts";
import { NetworkList } from "../networks.ts";

/** The interface that a link speaks on. */
export interface LinkAddress {
  /** IPv4 address of this machine there. */
  readonly address: string;
  /** Its network, such as `192.168.1.7/24`. */
  readonly network: string;
}

/** Who listens on a link. */
export interface LinkListener {
  query?(packet: Packet, from: Remote, link: Link): void;
  response?(packet: Packet, from: Remote, link: Link): void;
  /** Multicast does not work there; nothing more comes from this link. */
  failed(error: Error, link: Link): void;
}

/** A socket of one interface; what other interfaces receive is not passed on. */
export class Link implements AsyncDisposable {
  readonly address: string;
  readonly #mdns: MulticastDns;
  readonly #ready = Promise.withResolvers<void>();
  #ended = false;

  constructor({ address, network }: LinkAddress, listener: LinkListener) {
    this.address = address;
    // The system hands each socket what came in by any interface.
    const here = new NetworkList([network]);
    this.#mdns = makeMulticastDns({ interface: address, bind: "0.0.0.0" });
    this.#mdns.on("query", (packet, from) => {
      if (here.has(from.address)) listener.query?.(packet, from, this);
    });
    this.#mdns.on("response", (packet, from) => {
      if (here.has(from.address)) listener.response?.(packet, from, this);
    });
    const failed = (error: Error) => {
      if (!this.#ended) listener.failed(error, this);
    };
    this.#mdns.on("error", (error) => {
      this.#ready.resolve();
      failed(error);
    });
    // A packet that is no DNS is nobody's fault here; an interface that takes no multicast is.
    this.#mdns.on("warning", (error) => {
      if ("code" in error || "syscall" in error) failed(error);
    });
    this.#mdns.on("ready", () => this.#ready.resolve());
  }

  /** Resolves when it can send, or has failed. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Sends a question; a network that does not take it is told to the listener by the socket. */
  async query(packet: Partial<Packet>): Promise<void> {
    await this.#sent((done) => this.#mdns.query(packet, done));
  }

  /** Sends records to everybody, or to one who asked from a port of his own. */
  async respond(packet: Partial<Packet>, to?: Remote): Promise<void> {
    await this.#sent((done) =>
      to === undefined ? this.#mdns.respond(packet, done) : this.#mdns.respond(packet, to, done)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    // Its socket is still being set up until then.
    await this.ready;
    await new Promise<void>((resolve) => this.#mdns.destroy(resolve));
  }

  async #sent(send: (done: () => void) => void): Promise<void> {
    if (this.#ended) return;
    await this.ready;
    await new Promise<void>((resolve) => send(resolve));
  }
}
