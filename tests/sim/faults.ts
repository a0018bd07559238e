/** What goes wrong inside the server, without a line of test code in it: through its own ports. */
import type { Clock, TimerId } from "../../lib/clock.ts";
import type { MediaServer } from "../../media/port.ts";
import { mediaOff } from "../../media/off.ts";
import type { RefusedGroup, Store, WriteGroup } from "../../db/store.ts";

/** The faults that are due, and those that have struck. */
export class Faults {
  /** The next group of an actor whose address begins so is refused. */
  refuse: string | undefined;
  /** The next handler that needs the media server, or the time of day, throws. */
  poisoned = false;
  /** A message is being handled: only there may something throw. */
  handling = false;
  /** Milliseconds that a commit takes; 0 for at once. */
  commitTime: () => number = () => 0;
  /** Told of the groups that are stored. */
  stored: (groups: readonly WriteGroup[]) => void = () => {};
  /** Told of a refused group. */
  refused: (actor: string) => void = () => {};
}

/** The clock of one run of the server: when that is killed, nothing of it runs any more. */
export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #faults: Faults;
  #dead = false;

  constructor(clock: Clock, faults: Faults) {
    this.#clock = clock;
    this.#faults = faults;
  }

  kill(): void {
    this.#dead = true;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  now(): number {
    if (this.#faults.poisoned && this.#faults.handling) {
      this.#faults.poisoned = false;
      throw new Error("Injected: the clock threw");
    }
    return this.#clock.now();
  }

  setTimeout(fn: () => void, ms: number): TimerId {
    return this.#clock.setTimeout(() => this.#run(fn), ms);
  }

  clearTimeout(id: TimerId): void {
    this.#clock.clearTimeout(id);
  }

  setImmediate(fn: () => void): void {
    this.#clock.setImmediate(() => this.#run(fn));
  }

  #run(fn: () => void): void {
    if (!this.#dead) fn();
  }
}

/** A media server that is off, and throws when it is told to. */
export function faultyMedia(faults: Faults): MediaServer {
  return {
    ...mediaOff,
    connect(room, userId, canPublish) {
      if (faults.poisoned && faults.handling) {
        faults.poisoned = false;
        throw new Error("Injected: the media server threw");
      }
      return mediaOff.connect(room, userId, canPublish);
    },
  };
}

/** The store of one run of the server. When that is killed, it writes nothing any more. */
export function faultyStore(store: Store, clock: MortalClock, faults: Faults): Store {
  const commit = (groups: readonly WriteGroup[]): readonly RefusedGroup[] => {
    const at = faults.refuse === undefined
      ? -1
      // A removal is what no database has a reason to refuse.
      : groups.findIndex(({ actor, writes }) =>
        actor.startsWith(faults.refuse as string) && writes.some(({ op }) => op === "put")
      );
    if (at < 0) {
      const refused = store.commit(groups) as readonly RefusedGroup[];
      const isStored = (index: number) => refused.every((one) => one.index !== index);
      faults.stored(groups.filter((_, index) => isStored(index)));
      return refused;
    }
    faults.refuse = undefined;
    const { actor } = groups[at] as WriteGroup;
    faults.refused(actor);
    const isRefused = (group: WriteGroup, index: number) => index >= at && group.actor === actor;
    const sound = groups.filter((group, index) => !isRefused(group, index));
    const others = store.commit(sound);
    faults.stored(sound);
    if ((others as readonly RefusedGroup[]).length > 0) {
      throw new Error("Cannot inject a refused group: the database refused others by itself");
    }
    const error = new Error("Injected: the database refused this group");
    return groups.flatMap((group, index) => isRefused(group, index) ? [{ index, error }] : []);
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "commit") {
        return (groups: readonly WriteGroup[]) => {
          const time = faults.commitTime();
          if (time === 0) return commit(groups);
          return new Promise<readonly RefusedGroup[]>((resolve) => {
            clock.setTimeout(() => resolve(commit(groups)), time);
          });
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
