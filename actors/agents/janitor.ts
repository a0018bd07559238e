/** What has to happen about agents although nobody asks: limits of age. [agents R4, R7, R8] */
import { agentLimits } from "../../lib/agent_policy.ts";
import { decode, encode } from "../../proto/mod.ts";
import type { RowOf } from "../../db/tables.ts";
import type { FoldedMessage } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { EventKind } from "../thread/mod.ts";

/** Milliseconds between two looks at commands, and at everything else. */
const MINUTE = 60_000;
const LOOKS_PER_SWEEP = 60;
/** Threads that one sweep does something about, and events read at a time. */
const THREADS = 500;
const PAGE = 1_000;
/** Messages of one thread that one sweep folds. */
const MESSAGES = 200;

async function countWaiting({ store, metrics }: ActorSystem): Promise<void> {
  const commands = await store.loadWhere("agent_commands", { state: "waiting" });
  metrics.agentCommandsWaiting.set(commands.length);
}

export class AgentJanitor {
  readonly #system: ActorSystem;
  #looks = 0;

  private constructor(system: ActorSystem) {
    this.#system = system;
  }

  /** Counts what waits, and looks after it from now on. */
  static async start(system: ActorSystem): Promise<void> {
    await countWaiting(system);
    const { desks } = system.registry;
    system.metrics.agentSubscriberLag.read = () =>
      Math.max(0, ...[...desks.values()].map(({ lag }) => lag));
    new AgentJanitor(system).#plan();
  }

  #plan(): void {
    this.#system.clock.setTimeout(() => {
      if (this.#system.draining) return;
      this.#look().catch((error) => {
        this.#system.log.error("Old events and commands cannot be looked after: {error}", {
          error,
        });
      }).finally(() => this.#plan());
    }, MINUTE);
  }

  async #look(): Promise<void> {
    if (this.#system.journal.away) return;
    await this.#expireCommands();
    if (++this.#looks % LOOKS_PER_SWEEP !== 0) return;
    await this.#expireSubscriptions();
    await this.#retain();
    // Commands of accounts that were removed went with them, untold.
    if (!this.#system.journal.busy) await countWaiting(this.#system);
  }

  async #expireCommands(): Promise<void> {
    const createdBefore = this.#system.clock.now() - agentLimits.commandLife;
    for (
      const { userId, id } of await this.#system.store.agents.threadsWithCommandsBefore(
        createdBefore,
      )
    ) {
      this.#system.thread(userId, id).tell({ type: "thread.expire_commands", createdBefore }, 0);
    }
  }

  async #expireSubscriptions(): Promise<void> {
    const seenBefore = this.#system.clock.now() - agentLimits.subscriptionLife;
    for (const row of await this.#system.store.agents.subscriptionsBefore(seenBefore)) {
      this.#system.desk(row.user_id).expireSubscription(row.subscriber_id, row.thread_id);
    }
  }

  async #retain(): Promise<void> {
    const { store, agents, clock } = this.#system;
    const limits = {
      cutBefore: clock.now() - agents.retention,
      foldBefore: clock.now() - agentLimits.foldAfter,
    };
    for (const { userId, id } of await store.agents.threadsDue(limits, THREADS)) {
      const [row] = await store.load("agent_threads", { user_id: userId, id });
      if (row === undefined) continue;
      const thread = this.#system.thread(userId, id);
      if (row.deleted_at !== null) {
        if (row.deleted_at < limits.cutBefore) thread.tell({ type: "thread.forget" }, 0);
        continue;
      }
      const upTo = await this.#lastBefore(row, limits.cutBefore);
      if (upTo >= row.first_seq) thread.tell({ type: "thread.cut", upTo }, 0);
      const folded = await this.#fold(row, Math.max(upTo, row.folded_seq), limits.foldBefore);
      if (folded.upTo > row.folded_seq) thread.tell({ type: "thread.fold", ...folded }, 0);
    }
  }

  /** The last event that was stored before that moment; 0 for none. */
  async #lastBefore(row: RowOf<"agent_threads">, moment: number): Promise<number> {
    let last = 0;
    while (true) {
      const page = await this.#system.store.agents.events(row.number, last, PAGE);
      const end = page.findIndex(({ stored_at }) => stored_at >= moment);
      const old = end < 0 ? page : page.slice(0, end);
      last = old.at(-1)?.seq ?? last;
      if (end >= 0 || page.length === 0) return last;
    }
  }

  /** Messages that were completed long enough ago, with what goes of them. */
  async #fold(
    row: RowOf<"agent_threads">,
    after: number,
    completedBefore: number,
  ): Promise<{ messages: FoldedMessage[]; upTo: number }> {
    const open = new Map<string, OpenMessage>();
    const messages: FoldedMessage[] = [];
    let upTo = after;
    let at = after;
    // What the host may send again has to be known again.
    const end = Math.min(row.last_seq, row.confirmed_seq);
    while (at < end) {
      const page = await this.#system.store.agents.events(row.number, at, PAGE);
      if (page.length === 0) break;
      for (const event of page) {
        if (
          event.seq > end || event.stored_at >= completedBefore || messages.length >= MESSAGES
        ) {
          return { messages, upTo: upToOpen(upTo, open) };
        }
        if (event.kind === EventKind.MessageChunk) {
          const { messageChunk } = decode("AgentEvent", event.payload);
          if (messageChunk === undefined) continue;
          const { messageId, text, thought } = messageChunk;
          const message = open.get(messageId) ?? new OpenMessage(event.seq);
          open.set(messageId, message);
          message.add(event.seq, text, thought);
        } else if (event.kind === EventKind.MessageCompleted) {
          const completed = decode("AgentEvent", event.payload).messageCompleted;
          const message = completed && open.get(completed.messageId);
          if (completed !== undefined && message !== undefined) {
            open.delete(completed.messageId);
            const payload = encode("AgentEvent", {
              messageCompleted: {
                messageId: completed.messageId,
                text: completed.text || message.text.join(""),
                thought: completed.thought || message.thoughts.join(""),
              },
            });
            messages.push({ completed: { ...event, payload }, chunks: message.stretches });
          }
        }
        upTo = event.seq;
      }
      at = page.at(-1)!.seq;
    }
    return { messages, upTo: upToOpen(upTo, open) };
  }
}

/** Messages that are not completed are folded another time. */
function upToOpen(upTo: number, open: ReadonlyMap<string, OpenMessage>): number {
  let least = upTo;
  for (const { firstSeq } of open.values()) least = Math.min(least, firstSeq - 1);
  return least;
}

class OpenMessage {
  readonly text: string[] = [];
  readonly thoughts: string[] = [];
  /** From, to below. */
  readonly stretches: [from: number, to: number][] = [];

  constructor(readonly firstSeq: number) {}

  add(seq: number, text: string, isThought: boolean): void {
    (isThought ? this.thoughts : this.text).push(text);
    const last = this.stretches.at(-1);
    if (last !== undefined && last[1] === seq) last[1] = seq + 1;
    else this.stretches.push([seq, seq + 1]);
  }
}
