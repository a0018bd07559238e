/** The chat of a channel, joined: what is said there, page by page. [channels 10] */
import type { ChannelMessage, ChatMention, Init } from "../proto/mod.ts";
import type { CollabClient } from "./collab_client.ts";
import { ConnectionClosedError } from "./errors.ts";
import { Listeners } from "./listeners.ts";

/** What may go with a message. */
export interface SayOptions {
  /** Users named in the text; ranges are in bytes of its UTF-8. */
  readonly mentions?: readonly Init<ChatMention>[];
  readonly replyTo?: bigint;
}

/**
 * A chat that this client is in. It is joined again over each new connection; a message whose answer was
 * lost is sent again under its nonce, so that it is said once. [channels 10.12]
 */
export class ChannelChat {
  readonly client: CollabClient;
  readonly channelId: bigint;
  /** Called behind every change of {@link messages}. */
  readonly changed = new Listeners<void>();
  readonly #messages = new Map<bigint, ChannelMessage>();
  readonly #stops: (() => void)[];
  /** Resolves when the chat is joined over the present connection; rejects when that is given up. */
  #joined: Promise<void> = Promise.resolve();
  #rejoined = Promise.withResolvers<void>();
  /** Resolves when the present connection is gone. */
  #lost = Promise.withResolvers<void>();
  #hasAll = false;
  #endReason: string | undefined;

  private constructor(client: CollabClient, channelId: bigint) {
    this.client = client;
    this.channelId = channelId;
    this.#stops = [
      client.dispatcher.observe((name, message) => this.#observe(name, message)),
    ];
  }

  /**
   * Joins the chat of a channel.
   *
   * @throws {RequestError} there is no such channel, or the user has no role in it.
   */
  static async join(client: CollabClient, channelId: bigint): Promise<ChannelChat> {
    const chat = new ChannelChat(client, channelId);
    try {
      await chat.#join();
    } catch (error) {
      chat.#close("never joined");
      throw error;
    }
    chat.#stops.push(client.keepOpen({
      suspend: () => chat.#suspend(),
      rejoin: () => chat.#rejoin(),
      abandon: (reason) => chat.#close(reason),
    }));
    return chat;
  }

  /** What is loaded of it, oldest first. */
  get messages(): readonly ChannelMessage[] {
    return [...this.#messages.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Whether nothing older is left to load. */
  get hasAll(): boolean {
    return this.#hasAll;
  }

  /** Why it was left; undefined while this client is in it. */
  get endReason(): string | undefined {
    return this.#endReason;
  }

  /** Says something; resolves with it once it is stored. @throws {RequestError} it was refused */
  async say(body: string, { mentions = [], replyTo }: SayOptions = {}): Promise<ChannelMessage> {
    const [upperHalf = 0n, lowerHalf = 0n] = crypto.getRandomValues(new BigUint64Array(2));
    const request = {
      channelId: this.channelId,
      body,
      nonce: { upperHalf, lowerHalf },
      mentions,
      ...(replyTo !== undefined && { replyToMessageId: replyTo }),
    };
    for (;;) {
      await this.#joined;
      this.#requireOpen();
      try {
        const { message } = await this.client.request("SendChannelMessage", request);
        this.#take([message as ChannelMessage]);
        return message as ChannelMessage;
      } catch (error) {
        if (!(error instanceof ConnectionClosedError)) throw error;
        // Whether it was stored is not known: under its nonce it is the same message.
        await this.#lost.promise;
      }
    }
  }

  /** Changes one's own message. */
  async edit(messageId: bigint, body: string, { mentions = [] }: SayOptions = {}): Promise<void> {
    const { channelId } = this;
    const nonce = this.#messages.get(messageId)?.nonce ?? {};
    const edit = { channelId, messageId, body, nonce, mentions };
    await this.client.request("UpdateChannelMessage", edit);
    await this.#load([messageId]);
  }

  /** Removes one's own message, or as an admin anybody's. */
  async remove(messageId: bigint): Promise<void> {
    await this.client.request("RemoveChannelMessage", { channelId: this.channelId, messageId });
    this.#forget(messageId);
  }

  /** Loads the next older page. */
  async loadOlder(): Promise<void> {
    const [oldest] = this.messages;
    if (this.#hasAll || oldest === undefined) return;
    const page = { channelId: this.channelId, beforeMessageId: oldest.id };
    const { messages, done } = await this.client.request("GetChannelMessages", page);
    this.#hasAll = done;
    this.#take(messages);
  }

  /** Tells the server that the user has seen the newest message. [channels 10.10] */
  acknowledge(): void {
    const newest = this.messages.at(-1);
    if (newest === undefined) return;
    const { channelId } = this;
    this.client.send("AckChannelMessage", { channelId, messageId: newest.id });
  }

  /** Leaves the chat. */
  leave(): void {
    if (this.#endReason !== undefined) return;
    this.client.send("LeaveChannelChat", { channelId: this.channelId });
    this.#close("left");
  }

  async #join(): Promise<void> {
    const { channelId } = this;
    const { messages, done } = await this.client.request("JoinChannelChat", { channelId });
    // What was removed or changed meanwhile was told to nobody here.
    this.#messages.clear();
    this.#hasAll = done;
    this.#take(messages);
  }

  #suspend(): void {
    this.#rejoined = Promise.withResolvers();
    this.#joined = this.#rejoined.promise;
    this.#joined.catch(() => {});
    this.#lost.resolve();
  }

  async #rejoin(): Promise<void> {
    await this.#join();
    this.#lost = Promise.withResolvers();
    this.#rejoined.resolve();
  }

  async #load(messageIds: readonly bigint[]): Promise<void> {
    const { messages } = await this.client.request("GetChannelMessagesById", { messageIds });
    this.#take(messages);
  }

  #observe(name: string, value: unknown): void {
    if (
      name !== "ChannelMessageSent" && name !== "ChannelMessageUpdate" &&
      name !== "RemoveChannelMessage"
    ) return;
    const { channelId, message, messageId } = value as {
      readonly channelId: bigint;
      readonly message?: ChannelMessage;
      readonly messageId?: bigint;
    };
    if (channelId !== this.channelId) return;
    if (messageId !== undefined) this.#forget(messageId);
    else if (message !== undefined) this.#take([message]);
  }

  #take(messages: readonly ChannelMessage[]): void {
    for (const message of messages) this.#messages.set(message.id, message);
    this.changed.tell();
  }

  #forget(messageId: bigint): void {
    this.#messages.delete(messageId);
    this.changed.tell();
  }

  #requireOpen(): void {
    if (this.#endReason === undefined) return;
    throw new Error(`You are not in the chat of channel ${this.channelId}: ${this.#endReason}`);
  }

  #close(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    for (const stop of this.#stops.splice(0)) stop();
    this.#rejoined.reject(new Error(`The chat of channel ${this.channelId} was left: ${reason}`));
    this.#rejoined.promise.catch(() => {});
    this.#lost.resolve();
    this.changed.tell();
  }
}
