/** The numbers that a server tells about itself under `/metrics`. [transport 6.3] [rooms 17] */
import { Counter as PromCounter, Gauge as PromGauge, Histogram, Registry } from "prom-client";

/** Something that is counted; only goes up. */
export interface Counter {
  inc(by?: number): void;
  /** What has been counted so far. */
  readonly value: number;
}

/** A counter per value of one label. */
export interface LabelledCounter<Label extends string> {
  inc(label: Label, by?: number): void;
  /** What has been counted so far under the label. */
  value(label: Label): number;
}

/** A number of things that there are now. */
export interface Gauge {
  inc(by?: number): void;
  dec(by?: number): void;
  set(value: number): void;
  /** How many there are. */
  readonly value: number;
}

/** How long something took, each time. */
export interface Timing {
  /** @param seconds how long it took this time. */
  observe(seconds: number): void;
}

/** Why a message was ignored while its connection went on. */
export type IgnoredReason =
  | "text_frame"
  | "no_payload"
  | "unknown_tag"
  | "unexpected_response"
  | "unexpected_message";

/** Why the server ended a connection. */
export type DroppedReason =
  | "bad_frame"
  | "bad_envelope"
  | "too_large"
  | "flood"
  | "handshake_timeout"
  | "idle"
  | "evicted"
  | "store_unavailable"
  | "user_removed"
  | "signed_out"
  | "closed_by_operator"
  | "error";

/** Kinds of actors, as a label. */
export type ActorKind =
  | "connection"
  | "user"
  | "room"
  | "project"
  | "channel"
  | "chat"
  | "notes"
  | "agents"
  | "thread"
  | "other";

/** One metric as its document has it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

/** All metrics of one server. */
export interface Metrics {
  /** Connections of users who are not admins. [rooms 17] */
  readonly connections: Gauge;
  /** Shared projects whose host is not an admin. [rooms 17] */
  readonly sharedProjects: Gauge;
  /** Sockets that have been given up and whose peer does not let them close. */
  readonly zombieSockets: Gauge;
  /** Live actors. */
  readonly actors: Gauge;

  /** Messages from clients, whatever became of them. */
  readonly messagesReceived: Counter;
  /** Messages from clients that were passed on to others (once each, for any number of them). */
  readonly messagesForwarded: Counter;
  /** Messages written to clients, own ones and forwarded ones. */
  readonly messagesSent: Counter;
  /** Bytes of messages from clients, compressed. */
  readonly bytesReceived: Counter;
  /** Bytes of messages to clients, compressed. */
  readonly bytesSent: Counter;
  /** Requests that were answered with an Error. */
  readonly requestErrors: Counter;

  readonly ignoredMessages: LabelledCounter<IgnoredReason>;
  readonly droppedConnections: LabelledCounter<DroppedReason>;
  /** Upgrades that were refused, by HTTP status. */
  readonly refusedHandshakes: LabelledCounter<`${number}`>;
  /** Connections ended because their peer did not read. */
  readonly evictions: Counter;
  readonly actorCrashes: LabelledCounter<ActorKind>;

  /** Answers to HTTP requests, by status. */
  readonly httpRequests: LabelledCounter<`${number}`>;
  /** From a request's headers to its answer's, in seconds; upgrades too. */
  readonly httpRequestTime: Timing;
  /** Requests refused because their address or user sends too many. */
  readonly limitedRequests: LabelledCounter<"address" | "user">;

  /** One transaction of the journal, in seconds. */
  readonly journalCommit: Timing;
  readonly journalRows: Counter;
  /** Groups that the database refused while it stored the others. */
  readonly journalRefusedGroups: Counter;
  /** Transactions of which nothing could be stored. */
  readonly journalFailures: Counter;

  /** What there is, for the document. */
  described(): readonly MetricDescription[];
  /** Events of agent threads that hosts sent and that are stored. */
  readonly agentEventsStored: Counter;
  /** The same as they were delivered, once for each subscriber. */
  readonly agentEventsDelivered: Counter;
  /** Commands that wait for their host. */
  readonly agentCommandsWaiting: Gauge;
  /** Events that the slowest connected subscriber has not been sent yet; asked for when needed. */
  readonly agentSubscriberLag: { read: () => number };

  /** Everything, in Prometheus' text format. */
  text(): Promise<string>;
  /** The `content-type` of {@link text}. */
  readonly contentType: string;
}

// prom-client hashes labels at every increment, which costs more than a message's way through the
// server; so counting is a plain addition, and prom-client reads the sums when somebody asks.

class Sum implements Counter, Gauge {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }

  dec(by = 1): void {
    this.value -= by;
  }

  set(value: number): void {
    this.value = value;
  }
}

class LabelledSum<Label extends string> implements LabelledCounter<Label> {
  readonly #sums = new Map<Label, number>();

  inc(label: Label, by = 1): void {
    this.#sums.set(label, this.value(label) + by);
  }

  value(label: Label): number {
    return this.#sums.get(label) ?? 0;
  }

  [Symbol.iterator](): IterableIterator<[Label, number]> {
    return this.#sums.entries();
  }
}

/** prom-client keeps these, but its types do not tell. */
interface Described {
  readonly labelNames: readonly string[];
}

function described(registry: Registry): MetricDescription[] {
  return registry.getMetricsAsArray().map((metric) => ({
    name: metric.name,
    type: metric.type as unknown as MetricDescription["type"],
    help: metric.help,
    labels: (metric as unknown as Described).labelNames,
  }));
}

/** A new set of metrics, all zero, in a registry of its own: one per server. */
export function createMetrics(): Metrics {
  const registry = new Registry();

  const counter = (name: string, help: string): Counter => {
    const sum = new Sum();
    new PromCounter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(sum.value);
      },
    });
    return sum;
  };

  const gauge = (name: string, help: string): Gauge => {
    const sum = new Sum();
    new PromGauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(sum.value);
      },
    });
    return sum;
  };

  const asked = (name: string, help: string): { read: () => number } => {
    const source = { read: () => 0 };
    new PromGauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(source.read());
      },
    });
    return source;
  };

  const labelled = <Label extends string>(
    name: string,
    label: string,
    help: string,
  ): LabelledCounter<Label> => {
    const sums = new LabelledSum<Label>();
    new PromCounter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, sum] of sums) this.inc({ [label]: value }, sum);
      },
    });
    return sums;
  };

  return {
    connections: gauge("connections", "Open connections of users who are not admins"),
    sharedProjects: gauge("shared_projects", "Shared projects whose host is not an admin"),
    zombieSockets: gauge(
      "zombie_sockets",
      "Sockets given up whose peer keeps them open; goes back to 0",
    ),
    actors: gauge("actors", "Live actors: grows with users and rooms, and shrinks with them"),

    messagesReceived: counter("messages_received_total", "Messages from clients"),
    messagesForwarded: counter("messages_forwarded_total", "Messages passed on to other clients"),
    messagesSent: counter("messages_sent_total", "Messages to clients"),
    bytesReceived: counter("bytes_received_total", "Compressed bytes of messages from clients"),
    bytesSent: counter("bytes_sent_total", "Compressed bytes of messages to clients"),
    requestErrors: counter(
      "request_errors_total",
      "Requests of the protocol answered with an Error",
    ),

    ignoredMessages: labelled(
      "ignored_messages_total",
      "reason",
      "Messages ignored while their connection went on; healthy clients cause some",
    ),
    droppedConnections: labelled(
      "dropped_connections_total",
      "reason",
      "Connections ended by the server: bad_frame, bad_envelope, too_large and flood are broken or " +
        "hostile clients, idle, handshake_timeout and evicted are networks, user_removed, " +
        "signed_out and closed_by_operator are decisions, store_unavailable and error are the " +
        "server's own",
    ),
    refusedHandshakes: labelled(
      "refused_handshakes_total",
      "status",
      "WebSocket handshakes refused: 401 wrong credentials, 426 too old a client, 429 too many, 503 full",
    ),
    evictions: counter("evictions_total", "Connections ended because their peer did not read"),
    actorCrashes: labelled(
      "actor_crashes_total",
      "kind",
      "Actors that threw and were replaced: defects of Parley",
    ),

    httpRequests: labelled("http_requests_total", "status", "Answers to HTTP requests"),
    httpRequestTime: new Histogram({
      name: "http_request_seconds",
      help: "Duration of one HTTP request until its answer begins",
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers: [registry],
    }),
    limitedRequests: labelled(
      "limited_requests_total",
      "by",
      "HTTP requests refused because their address or user sends too many",
    ),

    journalCommit: new Histogram({
      name: "journal_commit_seconds",
      help: "Duration of one transaction of the journal: the disk's fsync",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
      registers: [registry],
    }),
    journalRows: counter("journal_rows_total", "Row writes in the journal"),
    journalRefusedGroups: counter(
      "journal_refused_groups_total",
      "Actors' groups of writes that the database refused",
    ),
    journalFailures: counter(
      "journal_failures_total",
      "Transactions of which nothing could be stored",
    ),

    described: () => described(registry),
    agentEventsStored: counter("agent_events_total", "Events of agent threads that were stored"),
    agentEventsDelivered: counter(
      "agent_events_delivered_total",
      "Events of agent threads sent to subscribers",
    ),
    agentCommandsWaiting: gauge("agent_commands_waiting", "Commands that wait for an agent's host"),
    agentSubscriberLag: asked(
      "agent_subscriber_lag_events",
      "Events that the slowest connected subscriber has not been sent yet",
    ),

    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
