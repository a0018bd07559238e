/** A client's part in channels: what it sees of them, the notes and chats that it has open. */
import type { MessageTypes } from "../../proto/mod.ts";
import { ChannelView } from "./channel_view.ts";
import { ChatCopy } from "./chat_copy.ts";
import { NotesCopy } from "./notes_copy.ts";
import type { SimClient } from "./sim_client.ts";

/** A client closes notes that it could not come back to for so long, in milliseconds. [channels 20] */
const GRACE = 30_000;

export class ChannelMembership {
  readonly view = new ChannelView();
  readonly notes = new Map<bigint, NotesCopy>();
  readonly chats = new Map<bigint, ChatCopy>();
  /** Notes whose opening has no answer yet. */
  readonly #opening = new Set<bigint>();
  /** Channels whose notes, or chat, were open on this connection: live marks pass those by. */
  readonly markless = new Set<string>();
  #lostAt: number | undefined;

  constructor(readonly client: SimClient) {}

  /** Right after `Hello`. [channels 11.2] */
  connected(): void {
    const { client } = this;
    this.view.clear();
    this.markless.clear();
    if (client.sim.clock.now() - (this.#lostAt ?? 0) > GRACE) this.notes.clear();
    this.#lostAt = undefined;
    if (this.notes.size > 0) client.quietly(this.#rejoin());
    for (const chat of this.chats.values()) client.quietly(this.#join(chat));
    client.send("SubscribeToChannels", {});
  }

  lost(): void {
    this.#lostAt ??= this.client.sim.clock.now();
    for (const copy of this.notes.values()) copy.attached = false;
    for (const chat of this.chats.values()) chat.joined = false;
  }

  /** Notes and chats of channels that are gone are closed. [channels 6.2] */
  update(update: MessageTypes["UpdateChannels"]): void {
    for (const id of this.view.update(update)) {
      this.notes.delete(id);
      this.chats.delete(id);
    }
  }

  async openNotes(channelId: bigint): Promise<void> {
    const { client } = this;
    if (this.notes.has(channelId) || this.#opening.has(channelId)) return;
    const { peer } = client;
    const role = client.channels.view.channels.get(channelId);
    const mayWrite = role !== undefined && WRITERS.has(this.view.roleIn(role) ?? -1);
    this.markless.add(`notes ${channelId}`);
    this.#opening.add(channelId);
    try {
      const joined = await client.ask("JoinChannelBuffer", { channelId });
      if (peer !== client.peer || !client.isOnline) return;
      // It may be gone for this user already: then nobody opens anything.
      if (!this.view.channels.has(channelId)) client.quietly(this.#leave(channelId));
      else this.notes.set(channelId, new NotesCopy(client, channelId, joined, mayWrite));
    } finally {
      this.#opening.delete(channelId);
    }
  }

  closeNotes(channelId: bigint): void {
    const copy = this.notes.get(channelId);
    this.notes.delete(channelId);
    if (copy?.attached === true) this.client.quietly(this.#leave(channelId));
  }

  openChat(channelId: bigint): void {
    if (this.chats.has(channelId)) return;
    const chat = new ChatCopy(this.client, channelId);
    this.chats.set(channelId, chat);
    this.client.quietly(this.#join(chat));
  }

  closeChat(channelId: bigint): void {
    const chat = this.chats.get(channelId);
    if (chat?.joined !== true || !chat.idle) return;
    this.chats.delete(channelId);
    this.client.send("LeaveChannelChat", { channelId });
  }

  async #join(chat: ChatCopy): Promise<void> {
    const { peer } = this.client;
    this.markless.add(`chat ${chat.channelId}`);
    const hasJoined = await chat.join();
    // Refused: it is no chat of this user's.
    if (!hasJoined && peer === this.client.peer && this.client.isOnline) {
      if (this.chats.get(chat.channelId) === chat) this.chats.delete(chat.channelId);
    }
  }

  async #leave(channelId: bigint): Promise<void> {
    const { client } = this;
    const { peer } = client;
    const request = client.ask("LeaveChannelBuffer", { channelId });
    await request.catch(({ message }: Error) => {
      // Then the server lets go only of a connection that is lost.
      if (message.includes("taken back") && peer === client.peer) client.stalled = true;
    });
    await request;
  }

  /** [channels 8.6] */
  async #rejoin(): Promise<void> {
    const { client } = this;
    const { peer } = client;
    const copies = [...this.notes.values()];
    for (const { channelId } of copies) this.markless.add(`notes ${channelId}`);
    const request = client.ask("RejoinChannelBuffers", {
      buffers: copies.map(({ channelId, epoch, version }) => ({ channelId, epoch, version })),
    });
    const outcome = await client.outcome(request);
    if (peer !== client.peer || outcome === "lost") return;
    const { buffers } = outcome === "done" ? await request : { buffers: [] };
    for (const copy of copies) {
      const { channelId } = copy;
      const rejoined = buffers.find((one) => one.channelId === channelId);
      if (this.notes.get(channelId) !== copy) {
        // Closed meanwhile: the place is given up now, unless it is that of notes opened anew.
        if (rejoined !== undefined && !this.notes.has(channelId)) {
          client.quietly(this.#leave(channelId));
        }
      } else if (rejoined === undefined) this.notes.delete(channelId);
      else copy.rejoined(rejoined);
    }
  }
}

/** Admins and members. [channels 5.7] */
const WRITERS: ReadonlySet<number> = new Set([0, 1]);
