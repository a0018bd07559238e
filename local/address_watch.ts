/** Looks whether this machine has other addresses than before: networks come and go. [local 2b] */
import type { Clock, TimerId } from "../lib/clock.ts";
import { type LocalAddress, localAddresses } from "./networks.ts";

/** Milliseconds between two looks; systems tell of changes in ways too different to listen to. */
const PAUSE = 5_000;

/** What {@link AddressWatch} needs. */
export interface AddressWatchOptions {
  readonly clock: Clock;
  /** Names of interfaces; undefined for all. */
  readonly interfaces: readonly string[] | undefined;
  /** Called at each look, and told whether the addresses are others than at the one before. */
  readonly looked: (isChanged: boolean) => Promise<void>;
  /** As the system tells them; for tests. */
  readonly read?: typeof Deno.networkInterfaces;
}

/** The addresses of this machine, now and later. */
export class AddressWatch {
  readonly #options: AddressWatchOptions;
  #addresses: readonly LocalAddress[];
  #timer: TimerId | undefined;
  #ended = false;

  constructor(options: AddressWatchOptions) {
    this.#options = options;
    this.#addresses = this.#read();
  }

  /** As at the last look. */
  get addresses(): readonly LocalAddress[] {
    return this.#addresses;
  }

  /** Whether it has begun to look. */
  get isStarted(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins to look. */
  start(): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#look(), PAUSE);
  }

  /** No timer is left. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const found = this.#read();
    const isChanged = JSON.stringify(found) !== JSON.stringify(this.#addresses);
    this.#addresses = found;
    await this.#options.looked(isChanged);
    // The next look waits for what became of this one.
    if (!this.#ended) this.start();
  }

  #read(): readonly LocalAddress[] {
    const { interfaces, read = Deno.networkInterfaces } = this.#options;
    if (interfaces?.length === 0) return [];
    // A link-local address is no address without its interface, which URLs cannot name.
    return localAddresses(interfaces, read()).filter(({ scope }) => scope === undefined);
  }
}
