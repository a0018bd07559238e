/** The chat of a channel as one client has it open, and what was said over all clients. [channels 10] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { SimClient } from "./sim_client.ts";

type Message = MessageTypes["ChannelMessage"];
type Draft = Pick<MessageTypes["SendChannelMessage"], "body"> & {
  readonly nonce: MessageTypes["Nonce"];
  readonly mentions: Init<MessageTypes["ChatMention"]>[];
};

/** What is known of one message from what its senders heard. */
export interface Said {
  readonly channel: bigint;
  readonly sender: bigint;
  /** Set once it is acknowledged. */
  id: bigint | undefined;
  /** As it was sent. */
  readonly body: string;
}

export class ChatLedger {
  readonly #said = new Map<string, Said>();
  readonly #edits = new Map<bigint, Set<string>>();
  /** By message: whether the removal is acknowledged. */
  readonly #removals = new Map<bigint, boolean>();
  #lastNonce = 0n;

  get said(): ReadonlyMap<string, Said> {
    return this.#said;
  }

  /** A nonce that nobody has used. */
  nonce(): MessageTypes["Nonce"] {
    return { upperHalf: 7n, lowerHalf: ++this.#lastNonce };
  }

  say(nonce: MessageTypes["Nonce"], channel: bigint, sender: bigint, body: string): void {
    this.#said.set(hex(nonce), { channel, sender, id: undefined, body });
  }

  acknowledged(nonce: MessageTypes["Nonce"], id: bigint): Said {
    const said = this.#said.get(hex(nonce)) as Said;
    said.id = id;
    return said;
  }

  /** Somebody changes a message; its sender may not know its id yet. */
  edited(id: bigint, body: string): void {
    const bodies = this.#edits.get(id);
    if (bodies === undefined) this.#edits.set(id, new Set([body]));
    else bodies.add(body);
  }

  /** Somebody removes a message, or has done so. */
  removing(id: bigint, isDone: boolean): void {
    if (isDone || !this.#removals.has(id)) this.#removals.set(id, isDone);
  }

  /** May the message be gone, must it be? */
  removal(id: bigint): "none" | "asked" | "done" {
    const isDone = this.#removals.get(id);
    return isDone === undefined ? "none" : isDone ? "done" : "asked";
  }

  /** What a message may say. */
  bodies(said: Said, id: bigint): Set<string> {
    return new Set([said.body, ...this.#edits.get(id) ?? []]);
  }
}

/** A nonce as it is stored. */
function hex({ upperHalf, lowerHalf }: MessageTypes["Nonce"]): string {
  return [upperHalf, lowerHalf].map((half) => half.toString(16).padStart(16, "0")).join("");
}

export class ChatCopy {
  readonly messages = new Map<bigint, Message>();
  /** The server knows this connection as a participant's. */
  joined = false;
  /** The first message that was loaded. */
  first = 0n;
  /** Drafts without an acknowledgement; they are sent again after a loss. [channels 10.7] */
  readonly #unsent = new Map<bigint, Draft>();

  constructor(readonly client: SimClient, readonly channelId: bigint) {}

  get idle(): boolean {
    return this.#unsent.size === 0;
  }

  /** Joins, and sends what is not acknowledged. */
  async join(): Promise<boolean> {
    const { client, channelId } = this;
    const { peer } = client;
    this.joined = false;
    const request = client.ask("JoinChannelChat", { channelId });
    if (await client.outcome(request) !== "done") return false;
    const { messages } = await request;
    if (peer !== client.peer || client.channels.chats.get(channelId) !== this) return false;
    this.messages.clear();
    this.first = messages[0]?.id ?? 0n;
    for (const one of messages) this.messages.set(one.id, one);
    this.joined = true;
    for (const draft of this.#unsent.values()) this.#send(draft);
    return true;
  }

  say(body: string, mentioned: bigint | undefined): void {
    const mentions = mentioned === undefined
      ? []
      : [{ range: { start: 0n, end: 1n }, userId: mentioned }];
    const { client, channelId } = this;
    const nonce = client.sim.chats.nonce();
    client.sim.chats.say(nonce, channelId, client.userId, body);
    const draft = { body, nonce, mentions };
    this.#unsent.set(nonce.lowerHalf, draft);
    if (this.joined && client.isOnline) this.#send(draft);
  }

  edit(id: bigint, body: string): void {
    const { client, channelId } = this;
    client.sim.chats.edited(id, body);
    const nonce = client.sim.chats.nonce();
    const request = client.ask("UpdateChannelMessage", {
      channelId,
      messageId: id,
      nonce,
      body,
      mentions: [],
    });
    client.quietly(request.then(() => {
      const message = this.messages.get(id);
      if (message !== undefined) this.messages.set(id, { ...message, body });
    }));
  }

  remove(id: bigint): void {
    const { client, channelId } = this;
    client.sim.chats.removing(id, false);
    client.quietly(
      client.ask("RemoveChannelMessage", { channelId, messageId: id }).then(() => {
        this.messages.delete(id);
        client.sim.chats.removing(id, true);
      }),
    );
  }

  /** [channels 10.10] */
  acknowledge(): void {
    const messageId = [...this.messages.keys()].reduce((a, b) => (a > b ? a : b), 0n);
    if (!this.joined || !this.client.isOnline || messageId === 0n) return;
    this.client.send("AckChannelMessage", { channelId: this.channelId, messageId });
  }

  take(message: Message | undefined): void {
    if (message !== undefined && this.joined) this.messages.set(message.id, message);
  }

  #send(draft: Draft): void {
    const { client, channelId } = this;
    const { peer } = client;
    const request = client.ask("SendChannelMessage", { channelId, ...draft });
    client.quietly(request.then(({ message }) => {
      this.#unsent.delete(draft.nonce.lowerHalf);
      const id = message?.id ?? 0n;
      const said = client.sim.chats.acknowledged(draft.nonce, id);
      client.sim.expect(
        client.sim.chats.bodies(said, id).has(message?.body ?? ""),
        () => `${client.name} said "${draft.body}" and got "${message?.body}" for message ${id}`,
      );
      if (peer === client.peer) this.take(message);
    }, (error) => {
      // Refused: it is for its user to say it again. Lost: it is said again after the return.
      if ("code" in error) this.#unsent.delete(draft.nonce.lowerHalf);
      throw error;
    }));
  }
}
