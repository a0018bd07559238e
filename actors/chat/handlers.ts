/** What a chat does with its messages, by type. */
import type { ChatMessage } from "../refs/mod.ts";
import { edit, remove } from "./changing.ts";
import type { Apply, ChatSource } from "./context.ts";
import { join, leave, page } from "./reading.ts";
import { send } from "./sending.ts";

/** Reads what a message needs; what it comes to happens in the chat's turn. */
export async function prepare(source: ChatSource, message: ChatMessage): Promise<Apply> {
  switch (message.type) {
    case "chat.join":
      return await join(source, message);
    case "chat.leave":
      return leave(message);
    case "chat.page":
      return await page(source, message);
    case "chat.send":
      return await send(source, message);
    case "chat.edit":
      return await edit(source, message);
    case "chat.remove":
      return await remove(source, message);
  }
}
