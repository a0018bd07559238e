/** Chats of channels, each with one actor while it is needed. [channels 10] */
import type { ChatRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { Chat } from "./chat.ts";

export { editedDraft, newDraft } from "./draft.ts";
export { notInChat } from "./context.ts";
export { getMessagesById } from "./by_id.ts";

/** The chat of a channel that exists. */
export function openChat(system: ActorSystem, channelId: number): ChatRef {
  return system.registry.chats.get(channelId) ?? new Chat(system, channelId);
}
