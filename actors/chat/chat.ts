/**
 * The chat of one channel: gives what is said there one order. Who is in it is in memory, what was said
 * in the database: each message is handled when the messages before it are stored and what it needs
 * has been read. [channels 10]
 */
import { RpcError } from "../../rpc/errors.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import { Entity } from "../entity.ts";
import type { ChatMessage, ChatRef } from "../refs/mod.ts";
import { answerError } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { Apply, ChatContext } from "./context.ts";
import { prepare } from "./handlers.ts";
import { ChatState } from "./state.ts";

/** Messages that may wait for their turn. */
const MOST_WAITING = 10_000;

export class Chat extends Entity implements ChatRef {
  readonly kind = "chat";
  readonly channelId: number;
  readonly address: string;
  readonly #state: ChatState;
  /** The last of the messages that wait, in their order. */
  #last = Promise.resolve();
  #waiting = 0;
  /** The channel is gone, should the database take it. */
  #deleted = false;

  constructor(system: ActorSystem, channelId: number) {
    super(system);
    this.channelId = channelId;
    this.address = `/channels/${channelId}/chat`;
    this.#state = new ChatState(channelId);
    system.registry.chats.set(channelId, this);
    this.begin({
      first: "live",
      load: () => this.#restart(),
      failed: "out of order",
      dispose: () => this.#dispose(),
    });
  }

  tell(message: ChatMessage, gate: number): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#refuse(
        message,
        RpcError.internal(`${this.address} has too much to do, try again later`),
      );
      return;
    }
    this.#inOrder(async () => {
      let apply: Apply;
      try {
        apply = await this.#read(message);
      } catch (error) {
        this.system.log.error("{address} cannot read: {error}", { address: this.address, error });
        this.#refuse(message, RpcError.databaseAway());
        return;
      }
      this.enqueue({
        run: (turn) => {
          if (this.#deleted) throw RpcError.coded("NoSuchChannel");
          apply(this.#context(turn));
        },
        refused: (error) => this.#refuse(message, error),
      }, gate);
    });
  }

  expel(userIds: readonly number[]): void {
    const run = () => {
      for (const [key, userId] of this.#state.participants) {
        if (!userIds.includes(userId)) continue;
        this.#state.participants.delete(key);
        this.system.registry.connections.get(key)?.watchers.delete(this);
      }
    };
    this.#inOrder(() => this.enqueue({ run }));
  }

  /** Once what came before is done. */
  #inOrder(handle: () => void | Promise<void>): void {
    this.#waiting++;
    this.#last = this.#last.then(handle).then(() => {
      this.#waiting--;
      this.#closeIfIdle();
    });
  }

  /** What is read holds all that was stored before, and what this actor does is stored before that. */
  async #read(message: ChatMessage): Promise<Apply> {
    const { system, channelId } = this;
    await system.journal.settled();
    return await prepare({ system, channelId }, message);
  }

  connectionLost(key: PeerKey): void {
    this.#state.participants.delete(key);
    this.#closeIfIdle();
  }

  end(gate: number): void {
    this.#deleted = true;
    this.system.journal.afterCommit(gate, (stored) => {
      this.#deleted = stored;
      if (stored && this.phase !== "closed") this.finish();
    });
  }

  #context(turn: Turn): ChatContext {
    return { system: this.system, turn, chat: this.#state, watcher: this };
  }

  #refuse(message: ChatMessage, error: RpcError): void {
    if (message.type === "chat.leave") return;
    this.system.metrics.requestErrors.inc();
    answerError(message, this.phase === "closed" ? RpcError.coded("NoSuchChannel") : error);
  }

  #closeIfIdle(): void {
    if (this.#waiting > 0 || this.#state.participants.size > 0 || !this.ready) return;
    this.rest();
  }

  /**
   * Waits until what was written is stored or refused: all else is read when it is asked for. Those who
   * are in it stay: nobody would tell them to join again.
   */
  async #restart(): Promise<boolean> {
    await this.system.journal.settled();
    return true;
  }

  #dispose(): void {
    const { registry } = this.system;
    for (const key of this.#state.participants.keys()) {
      registry.connections.get(key)?.watchers.delete(this);
    }
    this.#state.participants.clear();
    if (registry.chats.get(this.channelId) === this) registry.chats.delete(this.channelId);
  }
}
