/** Chats with whole clients, also over lost connections. [channels 10] */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChannelChat } from "../../client/channel_chat.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { FlakyNetwork } from "../support/flaky_network.ts";
import { startServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const bodies = ({ messages }: ChannelChat) => messages.map(({ body }) => body);

Deno.test("[channels 10.2, 10.4, 10.7.5, 10.8, 10.9] two clients say, change and remove, and see the same", async () => {
  await using server = await startServer();
  await using a = await server.client("a");
  await using b = await server.client("b");
  await a.request("CreateChannel", { name: "chat" });
  await assertRejects(() => ChannelChat.join(b, 1n));
  await a.request("InviteChannelMember", { channelId: 1n, userId: b.userId, role: 1 });
  await b.request("RespondToChannelInvite", { channelId: 1n, accept: true });
  const ours = await ChannelChat.join(a, 1n);
  for (let number = 1; number <= 101; number++) await ours.say(`message ${number}`);
  const theirs = await ChannelChat.join(b, 1n);
  assertEquals([theirs.messages.length, theirs.hasAll], [100, false]);
  await theirs.loadOlder();
  assertEquals([theirs.messages.length, theirs.hasAll], [101, true]);
  const { id } = await theirs.say("hello", { replyTo: 1n });
  await waitUntil(() => bodies(ours).at(-1) === "hello");
  await theirs.edit(id, "hello again");
  await waitUntil(() => bodies(ours).at(-1) === "hello again");
  await assertRejects(() => ours.edit(id, "not mine"));
  await ours.remove(id);
  await waitUntil(() => bodies(theirs).at(-1) === "message 101");
  assertEquals(bodies(ours).at(-1), "message 101");
  theirs.acknowledge();
  theirs.leave();
  await assertRejects(() => theirs.say("gone"), Error, "left");
});

Deno.test("[channels 10.12, 10.7.3] what is said while the connection is lost is said once", async () => {
  await using server = await startServer();
  const network = new FlakyNetwork(denoTransport);
  await using a = await server.client("a", { transport: network });
  await a.request("CreateChannel", { name: "chat" });
  const chat = await ChannelChat.join(a, 1n);
  const said = [chat.say("first")];
  for (let round = 0; round < 3; round++) {
    said.push(chat.say(`in flight ${round}`));
    network.drop();
    said.push(chat.say(`meanwhile ${round}`));
    await a.reconnect();
  }
  const ids = (await Promise.all(said)).map(({ id }) => id);
  assertEquals(new Set(ids).size, said.length);
  assert(chat.endReason === undefined);
  assertEquals(chat.messages.length, said.length);
  assertEquals(new Set(bodies(chat)).size, said.length);
});
