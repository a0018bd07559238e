/** Finds the local servers of the networks that this machine is on. [local 2c] */
import type { Clock, TimerId } from "../../lib/clock.ts";
import type { Answer, Packet } from "./multicast_dns.d.ts";
import { type LocalAddress, NetworkList } from "../networks.ts";
import { Link } from "./link.ts";
import { readText, SERVICE_TYPE } from "./service.ts";

/** Milliseconds before the second question; each pause is twice the one before, up to the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 60_000;

/** A server that was found. */
export interface FoundServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** The TXT record: `version`, `name`, `fingerprint` … */
  readonly text: Readonly<Record<string, string>>;
}

interface Known<T> {
  readonly value: T;
  /** Unix milliseconds. */
  readonly until: number;
}

/** What {@link Browser} needs. */
export interface BrowserOptions {
  readonly addresses: readonly LocalAddress[];
  readonly clock: Clock;
  /** The list is another one. */
  readonly changed: (servers: readonly FoundServer[]) => void;
  /** Multicast does not work on an interface. */
  readonly failed: (error: Error, address: string) => void;
}

export class Browser implements AsyncDisposable {
  readonly #options: BrowserOptions;
  readonly #links: Link[] = [];
  readonly #pointers = new Map<string, Known<string>>();
  readonly #services = new Map<string, Known<{ target: string; port: number }>>();
  readonly #texts = new Map<string, Known<Readonly<Record<string, string>>>>();
  /** By host, then by address. */
  readonly #hosts = new Map<string, Map<string, Known<string>>>();
  #told = "[]";
  #pause = FIRST_PAUSE;
  #asking: TimerId | undefined;
  #expiring: TimerId | undefined;
  #ended = false;

  /** Begins to ask. */
  constructor(options: BrowserOptions) {
    this.#options = options;
    for (const { address, network, family } of options.addresses) {
      if (family !== "ipv4") continue;
      this.#links.push(
        new Link({ address, network }, {
          response: (packet) => this.#heard(packet),
          failed: (error, link) => options.failed(error, link.address),
        }),
      );
    }
    this.#ask();
  }

  /** The servers that are there now, by name. */
  get servers(): readonly FoundServer[] {
    const servers: FoundServer[] = [];
    for (const { value: instance } of this.#pointers.values()) {
      const key = instance.toLowerCase();
      const service = this.#services.get(key)?.value;
      if (service === undefined) continue;
      const addresses = [...this.#hosts.get(service.target.toLowerCase())?.keys() ?? []];
      servers.push({
        name: instance.slice(0, -SERVICE_TYPE.length - 1),
        host: service.target,
        port: service.port,
        addresses: addresses.sort(byVersion),
        text: this.#texts.get(key)?.value ?? {},
      });
    }
    return servers.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    for (const timer of [this.#asking, this.#expiring]) {
      if (timer !== undefined) this.#options.clock.clearTimeout(timer);
    }
    await Promise.all(this.#links.map((link) => link[Symbol.asyncDispose]()));
  }

  #ask(): void {
    if (this.#ended) return;
    const answers = [...this.#pointers.values()].map(({ value }): Answer => ({
      name: SERVICE_TYPE,
      type: "PTR",
      ttl: 4500,
      data: value,
    }));
    for (const link of this.#links) {
      void link.query({ questions: [{ name: SERVICE_TYPE, type: "PTR" }], answers });
    }
    this.#asking = this.#options.clock.setTimeout(() => this.#ask(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #heard({ answers, additionals }: Packet): void {
    if (this.#ended) return;
    for (const record of [...answers, ...additionals]) this.#take(record);
    this.#askForMore();
    this.#tell();
  }

  #take(record: Answer): void {
    const key = record.name.toLowerCase();
    const now = this.#options.clock.now();
    const until = now + (record.ttl ?? 0) * 1000;
    const gone = record.ttl === 0;
    switch (record.type) {
      case "PTR": {
        if (key !== SERVICE_TYPE || !record.data.toLowerCase().endsWith(`.${SERVICE_TYPE}`)) return;
        const instance = record.data.toLowerCase();
        if (gone) this.#forget(instance);
        else this.#pointers.set(instance, { value: record.data, until });
        return;
      }
      case "SRV":
        if (gone) this.#services.delete(key);
        else this.#services.set(key, { value: record.data, until });
        return;
      case "TXT":
        if (gone) this.#texts.delete(key);
        else this.#texts.set(key, { value: readText(record.data), until });
        return;
      case "A":
      case "AAAA": {
        const host = this.#hosts.get(key) ?? new Map<string, Known<string>>();
        if (gone) host.delete(record.data);
        else if (!unreachable.has(record.data)) {
          host.set(record.data, { value: record.data, until });
        }
        this.#hosts.set(key, host);
        return;
      }
    }
  }

  #forget(instance: string): void {
    this.#pointers.delete(instance);
    this.#services.delete(instance);
    this.#texts.delete(instance);
  }

  /** Asks for what a server's announcement did not hold. */
  #askForMore(): void {
    const questions = [];
    for (const { value } of this.#pointers.values()) {
      const service = this.#services.get(value.toLowerCase())?.value;
      if (service === undefined) questions.push({ name: value, type: "SRV" });
      else if ((this.#hosts.get(service.target.toLowerCase())?.size ?? 0) === 0) {
        questions.push({ name: service.target, type: "A" });
      }
      if (!this.#texts.has(value.toLowerCase())) questions.push({ name: value, type: "TXT" });
    }
    if (questions.length === 0) return;
    for (const link of this.#links) void link.query({ questions });
  }

  #tell(): void {
    this.#expireLater();
    const { servers } = this;
    const text = JSON.stringify(servers);
    if (text === this.#told) return;
    this.#told = text;
    this.#options.changed(servers);
  }

  /** Forgets what was not repeated in its time. */
  #expireLater(): void {
    const { clock } = this.#options;
    if (this.#expiring !== undefined) clock.clearTimeout(this.#expiring);
    const tables = [this.#pointers, this.#services, this.#texts, ...this.#hosts.values()];
    const now = clock.now();
    let next = Infinity;
    for (const table of tables) {
      for (const [key, { until }] of table) {
        if (until <= now) table.delete(key);
        else next = Math.min(next, until);
      }
    }
    this.#expiring = next === Infinity
      ? undefined
      : clock.setTimeout(() => this.#tell(), next - now + 1);
  }
}

/** Addresses that nobody can be reached at. */
const unreachable = new NetworkList(["0.0.0.0/8", "224.0.0.0/4", "::/128", "ff00::/8"]);

/** IPv4 first. */
function byVersion(a: string, b: string): number {
  const [x, y] = [Number(a.includes(":")), Number(b.includes(":"))];
  return x - y || (a < b ? -1 : 1);
}
