/** Every time that the protocol fixes, in milliseconds, in one place. [rooms 0] [transport 1.7] */
export interface ProtocolTimes {
  /** Connection lost → its participant leaves the room. */
  readonly reconnectGrace: number;
  /** Server start → what nobody rejoined is removed. */
  readonly cleanup: number;
  /** A socket whose peer shows no sign of life is closed. */
  readonly idle: number;
  /** Handshake begun → initial pushes queued. */
  readonly handshake: number;
  /** Nothing drained for this long while more than the soft mark waits → evicted. */
  readonly stuck: number;
  /** A stop signal → the process ends, whatever is still open. */
  readonly drain: number;
  /** Longest wait for one call to the media server. */
  readonly media: number;
  /** Longest wait for a host that may be too old to know what it is asked. [transport 10.4.2] */
  readonly oldHost: number;
  /** The database is out of reach → the server gives up and ends. */
  readonly recovery: number;
}

/** The values of the specification. */
export const protocolTimes: ProtocolTimes = {
  reconnectGrace: 30_000,
  cleanup: 15_000,
  idle: 10_000,
  handshake: 10_000,
  stuck: 2_000,
  drain: 8_000,
  media: 5_000,
  oldHost: 60_000,
  recovery: 60_000,
};

/** All times multiplied by `factor`, for tests against a real clock. */
export function scaledTimes(factor: number, times: ProtocolTimes = protocolTimes): ProtocolTimes {
  return Object.fromEntries(
    Object.entries(times).map(([name, ms]) => [name, ms * factor]),
  ) as unknown as ProtocolTimes;
}
