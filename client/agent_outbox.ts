/** Where a host keeps what the server has not numbered yet. [agents R2] */
import type { OutgoingAgentEvent } from "./agent_events.ts";

/** What an outbox had kept. */
export interface KeptByHost {
  /** In the order in which they were added. */
  readonly events: readonly OutgoingAgentEvent[];
  /** Commands that were carried out lately. */
  readonly commandIds: readonly string[];
}

/** Each call has taken effect when it returns: what a host has said is kept whatever happens next. */
export interface AgentOutbox {
  load(): KeptByHost;
  /** @throws the event cannot be kept, and is not */
  add(event: OutgoingAgentEvent): void;
  /** The first `count` events are numbered. */
  remove(count: number): void;
  /** Other events are kept from now on, instead of all that were. */
  replace(events: readonly OutgoingAgentEvent[]): void;
  /** A command was carried out: it is not to be done again. */
  noteCommand(commandId: string): void;
}

/** For hosts that do not outlive their process. */
export class MemoryOutbox implements AgentOutbox {
  load(): KeptByHost {
    return { events: [], commandIds: [] };
  }
  add(): void {}
  remove(): void {}
  replace(): void {}
  noteCommand(): void {}
}
