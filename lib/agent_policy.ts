/** What the configuration decides about threads of agents. */
export interface AgentPolicy {
  /** Chunks of a message wait a few milliseconds for others, so that they go together. [agents R5] */
  readonly batching: boolean;
  /** Milliseconds that an event is kept. [agents R8] */
  readonly retention: number;
  /** Events of one thread that are kept. [agents R8] */
  readonly retainedEvents: number;
  /** Events a second that one user's hosts may send, in the long run. [agents R9] */
  readonly eventsPerSecond: number;
}

const DAY = 86_400_000;

/** The values of the specification. */
export const agentPolicy: AgentPolicy = {
  batching: true,
  retention: 90 * DAY,
  retainedEvents: 100_000,
  eventsPerSecond: 20_000,
};

/** What the specification fixes, in milliseconds, events and bytes. [agents R4, R5, R7, R8, R9] */
export const agentLimits = {
  /** Of one event's payload. */
  eventBytes: 256 << 10,
  eventsPerRequest: 1_000,
  /** A chunk behind another waits so long at least while more may come, and at most. */
  chunkPause: 10,
  chunkPatience: 50,
  chunkBytes: 1_024,
  /** A command for a host that is away. */
  commandLife: DAY,
  /** A command that a host which is there does not answer. */
  commandAnswer: 10_000,
  /** Commands of one thread that wait. */
  waitingCommands: 1_000,
  /** After its completion a message's chunks are folded. */
  foldAfter: DAY,
  /** Without a sign of life. */
  subscriptionLife: 30 * DAY,
  /** A thread that nobody touches leaves the memory. */
  threadIdle: 5 * 60_000,
} as const;
