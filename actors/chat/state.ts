/** Who is in a chat, without I/O and timers. What is said is in the database alone. [channels 10.1] */
import type { PeerKey } from "../../rpc/peer_id.ts";

export class ChatState {
  readonly channelId: number;
  /** User by connection: connections join and leave, not users. [channels 10.2] */
  readonly participants = new Map<PeerKey, number>();

  constructor(channelId: number) {
    this.channelId = channelId;
  }

  /** Is the user in the chat with any connection? [channels 10.7.2] */
  hasUser(userId: number): boolean {
    for (const participant of this.participants.values()) {
      if (participant === userId) return true;
    }
    return false;
  }
}
