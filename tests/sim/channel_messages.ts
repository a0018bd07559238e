/** What a simulated client does with the server's messages about channels. */
import type { SimClient } from "./sim_client.ts";

export function handleChannels(client: SimClient): void {
  const { dispatcher, channels } = client;
  const { view, notes, chats } = channels;
  dispatcher.onMessage("UpdateUserChannels", (update) => view.updateUser(update));
  dispatcher.onMessage("UpdateChannels", (update) => channels.update(update));
  dispatcher.onMessage(
    "UpdateChannelBuffer",
    ({ channelId, operations }) => notes.get(channelId)?.apply(operations),
  );
  dispatcher.onMessage("UpdateChannelBufferCollaborators", ({ channelId, collaborators }) => {
    const copy = notes.get(channelId);
    if (copy !== undefined) copy.collaborators = collaborators;
  });
  dispatcher.onMessage(
    "ChannelMessageSent",
    ({ channelId, message }) => chats.get(channelId)?.take(message),
  );
  dispatcher.onMessage(
    "ChannelMessageUpdate",
    ({ channelId, message }) => chats.get(channelId)?.take(message),
  );
  dispatcher.onMessage("RemoveChannelMessage", ({ channelId, messageId }) => {
    chats.get(channelId)?.messages.delete(messageId);
  });
}
