import type { RefusedGroup, Store, WriteGroup } from "../../../db/store.ts";

/** A database that refuses the next group of an actor, as if a row of it broke a rule. */
export class Refusing {
  /** Address of the actor whose next group is refused. */
  actor: string | undefined;
  /** All transactions fail with it. */
  failure: Error | undefined;

  wrap(store: Store): Store {
    const commit = (groups: readonly WriteGroup[]): readonly RefusedGroup[] => {
      if (this.failure !== undefined) throw this.failure;
      const at = groups.findIndex(({ actor }) => actor === this.actor);
      if (at < 0) return store.commit(groups) as readonly RefusedGroup[];
      this.actor = undefined;
      // An error of the database itself, so that its own way of refusing is taken.
      const broken = { op: "put", table: "rooms", row: { id: "none" } } as unknown;
      const changed = groups.map((group, index) =>
        index === at ? { ...group, writes: [...group.writes, broken] } : group
      );
      return store.commit(changed as readonly WriteGroup[]) as readonly RefusedGroup[];
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === "commit") return commit;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}
