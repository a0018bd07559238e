/** Tells the network of a server: probing, announcing, answering, goodbye. RFC 6762, section 8. */
import type { Clock, TimerId } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Answer, Packet, Question, Remote } from "./multicast_dns.d.ts";
import type { LocalAddress } from "../networks.ts";
import { Link } from "./link.ts";
import {
  instanceName,
  numberedName,
  readText,
  recordsOf,
  type Service,
  SERVICE_TYPE,
  SERVICE_TYPES,
} from "./service.ts";

const PROBES = 3;
/** Milliseconds between two probes. */
const PROBE_PAUSE = 250;
/** Milliseconds between two announcements. */
const ANNOUNCE_PAUSE = 1000;
const MDNS_PORT = 5353;
/** Seconds that an answer to a plain resolver may be remembered: RFC 6762, section 6.7. */
const LEGACY_TTL = 10;

/** What {@link Advertiser.start} needs. */
export interface AdvertiserOptions {
  readonly service: Service;
  /** All addresses of the interfaces to speak on. */
  readonly addresses: readonly LocalAddress[];
  readonly clock: Clock;
  readonly log: Log;
  /** Hears the name that was found and announced, and each later one; undefined for none. */
  readonly named?: (name: string | undefined) => void;
}

/** A server's life on its networks. */
export class Advertiser implements AsyncDisposable {
  readonly #options: AdvertiserOptions;
  readonly #links: Link[] = [];
  #service: Service;
  #number = 1;
  /** Somebody else has the name that is being probed. */
  #taken = false;
  #announced = false;
  #ended = false;
  #again: TimerId | undefined;
  #probePause: { readonly timer: TimerId; readonly over: () => void } | undefined;
  /** Resolves when the first announcement is out, or there will be none. */
  #settled: Promise<void> = Promise.resolve();

  private constructor(options: AdvertiserOptions) {
    this.#options = options;
    this.#service = { ...options.service, name: numberedName(options.service.name, 1) };
  }

  /** Finds a free name and announces it; resolves when the first announcement is out. */
  static async start(options: AdvertiserOptions): Promise<Advertiser> {
    const advertiser = Advertiser.begin(options);
    await advertiser.#settled;
    return advertiser;
  }

  /** As {@link start}, but goes on behind the caller's back: finding a name takes most of a second. */
  static begin(options: AdvertiserOptions): Advertiser {
    const advertiser = new Advertiser(options);
    advertiser.#open();
    advertiser.#settled = Promise.all(advertiser.#links.map((link) => link.ready))
      .then(() => advertiser.#findName());
    return advertiser;
  }

  /** The name that it has on the network; undefined where no interface takes multicast. */
  get name(): string | undefined {
    return this.#links.length === 0 ? undefined : this.#service.name;
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { clock } = this.#options;
    if (this.#again !== undefined) clock.clearTimeout(this.#again);
    if (this.#probePause !== undefined) clock.clearTimeout(this.#probePause.timer);
    this.#probePause?.over();
    if (this.#announced) await this.#tellAll(0);
    await Promise.all(this.#links.map((link) => link[Symbol.asyncDispose]()));
  }

  #open(): void {
    const { addresses, log } = this.#options;
    // IPv4 carries the records of both versions.
    for (const { name, address, network, family } of addresses) {
      if (family !== "ipv4") continue;
      this.#links.push(
        new Link({ address, network }, {
          query: (packet, from, link) => this.#asked(packet, from, link),
          response: (packet) => this.#heard(packet),
          failed: (error, link) => {
            log.warn("Cannot be discovered on {name}: {reason}; give its address instead", {
              name,
              reason: error.message,
            });
            const index = this.#links.indexOf(link);
            if (index >= 0) this.#links.splice(index, 1);
            void link[Symbol.asyncDispose]();
          },
        }),
      );
    }
  }

  async #findName(): Promise<void> {
    do {
      this.#taken = false;
      await this.#probe();
      if (this.#taken) this.#rename();
    } while (this.#taken && !this.#ended);
    if (this.#ended) return;
    this.#announced = true;
    this.#options.named?.(this.name);
    await this.#tellAll();
    if (this.#ended) return;
    // Who missed the first hears the second.
    this.#again = this.#options.clock.setTimeout(() => void this.#tellAll(), ANNOUNCE_PAUSE);
  }

  async #probe(): Promise<void> {
    for (let i = 0; i < PROBES && !this.#taken && !this.#ended; i++) {
      const name = instanceName(this.#service.name);
      const { additionals } = recordsOf(this.#service, []);
      await Promise.all(
        this.#links.map((link) =>
          link.query({
            questions: [{ name, type: "ANY" }],
            authorities: additionals.filter((record) => record.name === name),
          })
        ),
      );
      await this.#pause();
    }
  }

  /** Time for others to object; cut short by the end. */
  async #pause(): Promise<void> {
    if (this.#ended) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#probePause = {
      timer: this.#options.clock.setTimeout(resolve, PROBE_PAUSE),
      over: resolve,
    };
    await promise;
    this.#probePause = undefined;
  }

  #rename(): void {
    const before = this.#service.name;
    this.#service = {
      ...this.#service,
      name: numberedName(this.#options.service.name, ++this.#number),
    };
    this.#options.log.info(
      'The name "{before}" is taken on this network; this server is "{name}"',
      {
        before,
        name: this.#service.name,
      },
    );
  }

  /** Addresses of the interface that a link speaks on. */
  #addressesOf(link: Link): readonly string[] {
    const { addresses } = this.#options;
    const name = addresses.find(({ address }) => address === link.address)?.name;
    return addresses.filter((each) => each.name === name).map(({ address }) => address);
  }

  async #tellAll(ttl?: number): Promise<void> {
    if (this.#ended && ttl !== 0) return;
    await Promise.all(this.#links.map((link) => {
      const { answers, additionals } = recordsOf(this.#service, this.#addressesOf(link), ttl);
      return link.respond({ answers: [...answers, ...additionals] });
    }));
  }

  #asked(packet: Packet, from: Remote, link: Link): void {
    if (!this.#announced || this.#ended) return;
    const { answers, additionals } = recordsOf(this.#service, this.#addressesOf(link));
    const all = [...answers, ...additionals];
    const wanted = packet.questions.flatMap((question) => this.#answersTo(question, all));
    const known = packet.answers.map(recordKey);
    const open = wanted.filter((record) => !known.includes(recordKey(record)));
    if (open.length === 0) return;
    const rest = all.filter((record) => !open.includes(record));
    // A plain resolver asks from a port of its own, and wants its question back.
    if (from.port !== MDNS_PORT) {
      const short = (record: Answer): Answer => ({ ...record, ttl: LEGACY_TTL, flush: false });
      void link.respond({
        ...(packet.id !== undefined && { id: packet.id }),
        questions: packet.questions,
        answers: open.map(short),
        additionals: rest.map(short),
      }, from);
    } else void link.respond({ answers: open, additionals: rest });
  }

  #answersTo({ name, type }: Question, all: readonly Answer[]): readonly Answer[] {
    const asked = name.toLowerCase();
    if (asked === SERVICE_TYPES && (type === "PTR" || type === "ANY")) {
      return [{ name: SERVICE_TYPES, type: "PTR", ttl: 4500, data: SERVICE_TYPE }];
    }
    return all.filter((record) =>
      record.name.toLowerCase() === asked && (type === "ANY" || type === record.type)
    );
  }

  /** Somebody else's answer for our name: while probing it is taken, later one of both gives way. */
  #heard({ answers, additionals }: Packet): void {
    const name = instanceName(this.#service.name).toLowerCase();
    const foreign = [...answers, ...additionals].some((record) =>
      record.name.toLowerCase() === name && record.ttl !== 0 && !this.#isOurs(record)
    );
    if (!foreign || this.#taken || this.#ended) return;
    this.#taken = true;
    if (!this.#announced) return;
    this.#announced = false;
    if (this.#again !== undefined) this.#options.clock.clearTimeout(this.#again);
    this.#rename();
    void this.#findName();
  }

  /** Two machines may have the same host name: their TXT records differ all the same, by an id. */
  #isOurs(record: Answer): boolean {
    const { host, port, text } = this.#service;
    switch (record.type) {
      case "SRV":
        return record.data.port === port && record.data.target.toLowerCase() === host.toLowerCase();
      case "TXT":
        return sameText(readText(record.data), text);
      default:
        return true;
    }
  }
}

function sameText(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function recordKey(record: Answer): string {
  return `${record.type} ${record.name.toLowerCase()} ${JSON.stringify(record.data)}`;
}
