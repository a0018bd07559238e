/** A tree of channels: the actor whose turns give its channels, members and calls one order. [channels 1.6] */
import { RpcError } from "../../rpc/errors.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import { Lookups } from "../lookups.ts";
import type { ChannelMessage, ChannelRef, Inbound } from "../refs/mod.ts";
import { answerError, refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import { orderIn } from "./administering.ts";
import { type ChannelContext, channelFacts } from "./context.ts";
import { requireAdmin } from "./editing.ts";
import { channelHandlers, channelMessages } from "./handlers.ts";
import { tellAll } from "./membership.ts";
import { handleInviteChannelMember, invitedUser } from "./members.ts";
import { loadTree } from "./rows.ts";
import { ChannelTreeState, type Member } from "./state.ts";

/** What tells of rows that others write. */
const REMEMBERED: ReadonlySet<ChannelMessage["type"]> = new Set([
  "channel.latest_message",
  "channel.notes_changed",
  "channel.call_changed",
]);

export class ChannelTree extends Entity implements ChannelRef {
  readonly kind = "channel";
  readonly rootId: number;
  readonly address: string;
  #state: ChannelTreeState;
  readonly #lookups: Lookups;

  /** @param state of a tree that is made now, or was read just now */
  constructor(system: ActorSystem, state: ChannelTreeState) {
    super(system);
    this.rootId = state.rootId;
    this.address = `/channels/${state.rootId}`;
    this.#state = state;
    this.#lookups = new Lookups(system);
    // Before the root is stored already, so that what the database refuses finds its actor.
    system.registry.channels.set(state.rootId, this);
    this.#publish(state);
    this.begin({
      first: "live",
      load: (signal) => this.#load(signal),
      failed: "out of order",
      dispose: () => this.#dispose(),
    });
  }

  tell(message: ChannelMessage, gate: number): void {
    this.enqueue({
      remembers: REMEMBERED.has(message.type),
      run: (turn) => channelMessages(this.#context(turn), message),
      refused: (error) => this.#unheard(message, error),
    }, gate);
  }

  /** Somebody waits for an answer to a message that this tree does not take. */
  #unheard(message: ChannelMessage, error: RpcError): void {
    orderIn(message)?.(this.phase === "closed" ? RpcError.coded("NoSuchChannel") : error, 0);
    switch (message.type) {
      case "channel.create":
        answerError(message, error);
        return;
      case "channel.join_asked":
      case "channel.join": {
        const { join } = message;
        this.system.user(join.connection.userId).tell({
          type: "user.join_ended",
          join,
          error: this.phase === "closed" ? RpcError.coded("NoSuchChannel") : error,
        }, 0);
        return;
      }
      case "channel.role_asked":
        answerError(message.change, error);
        return;
      case "channel.notes_asked":
        message.answer(this.phase === "closed" ? "no channel" : undefined);
        return;
      case "channel.describe":
        message.answer(undefined, 0);
        return;
      case "channel.reader_asked":
        message.answer(false, 0);
    }
  }

  receive(channelId: number, inbound: Inbound): void {
    let asked: number[] = [];
    if (inbound.route.message === "InviteChannelMember") {
      try {
        decoding({ ...inbound, handling: undefined }, () => asked = [invitedUser(inbound)]);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        refuse(this.system, inbound, error);
        return;
      }
    }
    this.#lookups.inOrder(
      inbound,
      asked,
      (kept, exists) => this.#handle(channelId, kept, exists),
    );
  }

  #handle(channelId: number, inbound: Inbound, exists: (userId: number) => boolean): void {
    const kept = this.keep(inbound);
    this.enqueue({
      run: (turn) => decoding(kept, () => this.#run(turn, channelId, kept, exists)),
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  #run(
    turn: Turn,
    id: number,
    inbound: Inbound,
    exists: (userId: number) => boolean,
  ): void {
    const { message, access } = inbound.route;
    const channel = this.#state.channels.get(id);
    if (channel === undefined) throw RpcError.coded("NoSuchChannel");
    const context = { ...this.#context(turn), inbound, channel };
    if (access === "channel admin") requireAdmin(context);
    else if (
      access === "channel reader" &&
      !this.#state.isParticipant(channel, inbound.connection.userId)
    ) throw RpcError.internal(`you have no role in channel ${id}`);
    if (message === "InviteChannelMember") handleInviteChannelMember(context, exists);
    else channelHandlers[message]?.(context);
  }

  #context(turn: Turn): ChannelContext {
    const { registry, memberships } = this.system;
    const state = this.#state;
    return {
      system: this.system,
      turn,
      tree: state,
      addChannel: (channel) => {
        state.channels.set(channel.id, channel);
        registry.channels.set(channel.id, this);
        turn.happened("channel.created", () => channelFacts(channel));
      },
      removeChannel: (channel) => {
        state.channels.delete(channel.id);
        turn.happened("channel.deleted", () => ({ channelId: channel.id }));
        // The root's address stays until the tree has ended, for what the database may refuse.
        if (channel.id !== this.rootId) registry.channels.delete(channel.id);
      },
      addMember: (member: Member) => {
        state.members.set(member.userId, member);
        memberships.add(member.userId, this.rootId);
      },
      removeMember: (member: Member) => {
        state.members.delete(member.userId);
        memberships.remove(member.userId, this.rootId);
        const facts = { channelId: this.rootId, userId: member.userId };
        turn.happened("channel.member_removed", () => facts);
      },
      end: () => turn.then(() => this.finish()),
    };
  }

  /** What everybody may know: which channels and which members are this tree's. */
  #publish(state: ChannelTreeState): void {
    const { registry, memberships } = this.system;
    for (const id of state.channels.keys()) registry.channels.set(id, this);
    for (const userId of state.members.keys()) memberships.add(userId, this.rootId);
  }

  #withdraw(state: ChannelTreeState): void {
    const { registry, memberships } = this.system;
    for (const id of state.channels.keys()) registry.channels.delete(id);
    for (const userId of state.members.keys()) memberships.remove(userId, this.rootId);
  }

  /** A tree that is not stored has lost the turn that made it, or ended it: it is over. */
  async #load(signal: AbortSignal): Promise<boolean> {
    await this.system.journal.settled();
    const state = await loadTree(this.system.store, this.rootId);
    if (signal.aborted) return false;
    this.#withdraw(this.#state);
    this.#state = state ?? new ChannelTreeState(this.rootId);
    this.system.registry.channels.set(this.rootId, this);
    this.#publish(this.#state);
    if (this.missed && state !== undefined) {
      this.missed = false;
      this.enqueue({ run: (turn) => tellAll(this.#context(turn)) });
    }
    return state !== undefined;
  }

  #dispose(): void {
    this.#withdraw(this.#state);
    this.system.registry.channels.delete(this.rootId);
  }
}
