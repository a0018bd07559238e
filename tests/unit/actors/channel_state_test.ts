/** A tree's data. [channels 5] */
import { assertEquals } from "@std/assert";
import { type Channel, ChannelTreeState } from "../../../actors/channel/state.ts";

/** Root 1 with children of those orders, whose ids begin at 2. */
function treeOf(...orders: readonly number[]): ChannelTreeState {
  const tree = new ChannelTreeState(1);
  const add = (id: number, order: number, parentPath: readonly number[]) => {
    const channel: Channel = {
      id,
      name: `${id}`,
      visibility: 1,
      parentPath,
      requiresCla: false,
      order,
      createdAt: 0,
    };
    tree.channels.set(id, channel);
  };
  add(1, 1, []);
  for (const [at, order] of orders.entries()) add(2 + at, order, [1]);
  return tree;
}

Deno.test("[channels 7.6] the neighbour has the next order: none has an equal one, and gaps are passed over", () => {
  const tree = treeOf(5, 5, 9, 2, 30);
  const next = (id: number, direction: "up" | "down") =>
    tree.neighbour(tree.channels.get(id) as Channel, direction)?.id;
  assertEquals([2, 3, 4, 5, 6].map((id) => next(id, "up")), [5, 5, 2, undefined, 4]);
  assertEquals([2, 3, 4, 5, 6].map((id) => next(id, "down")), [4, 4, 6, 2, undefined]);
});
