/** What a channel's chat takes. */
import type { MessageTypes } from "../../proto/mod.ts";
import type { ConnectionRef, ConnectionWatcher } from "./connection.ts";

/** The chat of one channel. */
export interface ChatRef extends ConnectionWatcher {
  readonly channelId: number;
  tell(message: ChatMessage, gate: number): void;
  /** Users do not see the channel any more: they are in its chat no longer. */
  expel(userIds: readonly number[]): void;
  /** The channel is gone, if `gate`, its tree's change, is stored. */
  end(gate: number): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

/** What a channel's chat takes from other actors: the tree has looked at the sender's role. */
export type ChatMessage =
  & (
    | { readonly type: "chat.join" }
    | { readonly type: "chat.leave" }
    /** The newest messages before that one. */
    | { readonly type: "chat.page"; readonly beforeId: number }
    | {
      readonly type: "chat.send";
      readonly draft: ChatDraft;
      /** As sent: nobody looks whether there is such a message. */
      readonly replyTo: bigint | undefined;
    }
    | { readonly type: "chat.edit"; readonly messageId: number; readonly draft: ChatDraft }
    | {
      readonly type: "chat.remove";
      readonly messageId: number;
      /** An admin may also remove what others have sent. */
      readonly byAdmin: boolean;
    }
  )
  & { readonly connection: ConnectionRef; readonly requestId: number };

/** What somebody wants to say. [channels 10.7] */
export interface ChatDraft {
  readonly body: string;
  /** 32 hexadecimal digits. */
  readonly nonce: string;
  /** As sent. */
  readonly mentions: readonly MessageTypes["ChatMention"][];
}
