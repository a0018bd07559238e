/** Steps in the chats of channels. [channels 10] */
import { type ActionsOf, choose } from "./action.ts";
import type { ChatCopy } from "./chat_copy.ts";
import type { SimClient } from "./sim_client.ts";

export const chatActions: ActionsOf<"chat"> = {
  joinChat(client, [a]) {
    const channelId = choose([...client.channels.view.channels.keys()], a);
    if (client.isOnline && channelId !== undefined) client.channels.openChat(channelId);
  },
  leaveChat(client, [a]) {
    const chat = someChat(client, a);
    if (client.isOnline && chat !== undefined) client.channels.closeChat(chat.channelId);
  },
  // Also while the connection is away: it is sent when there is one again.
  say(client, [a, b, c], sim) {
    const mentioned = b % 5 === 0 ? choose(sim.clients, c)?.userId : undefined;
    someChat(client, a)?.say(`hello ${b % 100}`, mentioned);
  },
  editMessage(client, [a, b, c]) {
    const chat = someChat(client, a);
    const own = [...chat?.messages.values() ?? []]
      .filter(({ senderId }) => senderId === client.userId || c % 8 === 7);
    const message = choose(own, b);
    if (client.isOnline && chat?.joined === true && message !== undefined) {
      chat.edit(message.id, `changed ${c % 100}`);
    }
  },
  removeMessage(client, [a, b, c]) {
    const chat = someChat(client, a);
    const messages = [...chat?.messages.values() ?? []]
      .filter(({ senderId }) => senderId === client.userId || c % 2 === 1);
    const message = choose(messages, b);
    if (client.isOnline && chat?.joined === true && message !== undefined) chat.remove(message.id);
  },
  ackMessage(client, [a]) {
    someChat(client, a)?.acknowledge();
  },
  readPage(client, [a, b]) {
    const channelId = choose([...client.channels.view.channels.keys()], a);
    if (!client.isOnline || channelId === undefined) return;
    const value = { channelId, beforeMessageId: BigInt(1 + b % 40) };
    client.quietly(
      client.ask("GetChannelMessages", value).then(({ messages }) => {
        client.sim.expect(
          messages.every(({ id }) => id < value.beforeMessageId),
          () => `${client.name} got messages that are not before ${value.beforeMessageId}`,
        );
      }),
    );
  },
  readById(client, [a, b]) {
    if (!client.isOnline) return;
    const ids = [1n + BigInt(a % 30), 1n + BigInt(b % 30)];
    client.quietly(client.ask("GetChannelMessagesById", { messageIds: ids }));
  },
};

function someChat(client: SimClient, number: number): ChatCopy | undefined {
  return choose([...client.channels.chats.values()], number);
}
