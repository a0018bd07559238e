/** Requests that wait for the database. */
import { assertEquals } from "@std/assert";
import { MOST_READS } from "../../../actors/reading.ts";
import type { Store, User } from "../../../db/store.ts";
import { createTestTree } from "./channel_world.ts";
import { type Client, World } from "./world.ts";

/** Searches wait until the test lets them go; looking up accounts too, once that is wished. */
class SlowSearch {
  readonly #gates: PromiseWithResolvers<readonly User[]>[] = [];
  holdsLookups = false;

  wrap(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        if (name === "searchUsers" || (this.holdsLookups && name === "users")) {
          return () => {
            const gate = Promise.withResolvers<readonly User[]>();
            this.#gates.push(gate);
            return gate.promise;
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** The searches that wait end, all but the first few with a failure. */
  end(good: number): void {
    for (const [index, gate] of this.#gates.splice(0).entries()) {
      if (index < good) gate.resolve([]);
      else gate.reject(new Error("away"));
    }
  }
}

const answers = (client: Client) =>
  client.take().map(({ name, value }) => name === "Error" ? value.code : name);

Deno.test("[transport 2.8.1] what one connection asks of the database at a time is bounded: what is more is refused, its other messages and other people's are not", async () => {
  const slow = new SlowSearch();
  await using world = await World.start((store) => slow.wrap(store));
  const { roomId, clients: [ann, bob] } = await world.meet("ann", "bob");
  for (let index = 0; index < MOST_READS; index++) ann!.send("FuzzySearchUsers", { query: "x" });
  await world.settle();
  assertEquals(answers(ann!), []);
  const userId = BigInt(ann!.userId);
  ann!.send("FuzzySearchUsers", { query: "x" });
  ann!.send("GetUsers", { userIds: [userId] });
  ann!.send("GetPrivateUserInfo", {});
  ann!.send("GetNotifications", {});
  ann!.send("GetChannelMessagesById", { messageIds: [1n] });
  ann!.send("GetAgentThreads", {});
  ann!.send("RequestContact", { responderId: 99n });
  await world.settle();
  assertEquals(answers(ann!), Array(7).fill(18));
  ann!.send("Ping", {});
  ann!.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  assertEquals(answers(ann!).sort(), ["Ack", "Ack", "RoomUpdated"]);
  // What asks nothing of the database, as what is for a user or a tree, is handled as ever.
  ann!.send("SubscribeToChannels", {});
  ann!.send("RemoveContact", { userId: 99n });
  await world.settle();
  assertEquals(answers(ann!), ["UpdateUserChannels", "UpdateChannels", 0]);
  bob!.send("GetNotifications", {});
  await world.settle();
  assertEquals(answers(bob!).includes("GetNotificationsResponse"), true);
  slow.end(200);
  await world.settle();
  assertEquals(answers(ann!), [
    ...Array(200).fill("UsersResponse"),
    ...Array(MOST_READS - 200).fill(0),
  ]);
  assertEquals(ann!.connection.reads, 0);
  ann!.send("GetNotifications", {});
  await world.settle();
  assertEquals(answers(ann!), ["GetNotificationsResponse"]);
});

Deno.test("[transport 2.8.1] [channels 1.6] what nobody answers is not lost silently behind too many waiting requests", async () => {
  const slow = new SlowSearch();
  await using world = await World.start((store) => slow.wrap(store));
  const { root, owner, member } = await createTestTree(world);
  slow.holdsLookups = true;
  // Whatever comes to the tree waits behind it.
  owner.send("InviteChannelMember", { channelId: root, userId: 99n, role: 1 });
  for (let index = 0; index < MOST_READS; index++) member.send("FuzzySearchUsers", { query: "x" });
  member.send("GetChannelMembers", { channelId: root });
  await world.settle();
  assertEquals(answers(member), [18]);
  assertEquals(world.actors.registry.connections.has(member.connection.key), true);
  member.send("UpdateChannelBuffer", { channelId: root });
  await world.settle();
  assertEquals(world.actors.registry.connections.has(member.connection.key), false);
  slow.end(MOST_READS + 1);
  await world.settle();
  assertEquals(answers(owner), [0]);
});
