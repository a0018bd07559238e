/** Who takes which message. It outlives connections: a new one brings messages to the same handlers. */
import { messageInfo, type MessageName, type MessageTypes } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import type { RequestName, ResponseInit } from "./responses_table.ts";

/** What is known about a message beside its content. */
export interface MessageContext {
  /** Envelope id of the message: what an answer responds to. */
  readonly id: number;
  /** Who sent it, where the server passed it on. [transport 2.8.4] */
  readonly originalSenderId: PeerId | undefined;
}

/** Takes a message; what it throws is only told to the log. [transport 2.7.7] */
export type MessageHandler<N extends MessageName> = (
  message: MessageTypes[N],
  context: MessageContext,
) => void | Promise<void>;

/** Answers a request, or throws what the `Error` answer shall say. [transport 2.7.7] */
export type RequestHandler<N extends RequestName> = (
  message: MessageTypes[N],
  context: MessageContext,
) => ResponseInit<N> | Promise<ResponseInit<N>>;

/** Handlers of one entity's messages, by their names. */
export interface EntityHandlers {
  /** What is not answered: messages, and requests that the server passes on as messages. */
  readonly messages?: { readonly [N in MessageName]?: MessageHandler<N> };
  /** What is answered. */
  readonly requests?: { readonly [N in RequestName]?: RequestHandler<N> };
}

/** Kind of thing that messages are about, with its id in them. [transport 2.7.2] */
export type EntityKind = "project" | "channel";

/** The message that names such things first, as `messageInfo` tells it. */
const KINDS: Readonly<Record<string, EntityKind>> = { ShareProject: "project", Channel: "channel" };

/** A message on its way to its handler. */
export interface Delivery {
  readonly name: MessageName;
  readonly message: MessageTypes[MessageName];
  readonly context: MessageContext;
  /** There is a handler, and `result` is what it makes of the message: an answer, or nothing. */
  handled(result: Promise<unknown>, isAnswer: boolean): void;
  /** There is no handler. */
  unhandled(): void;
}

type AnyHandler = (message: never, context: MessageContext) => unknown;

interface Registration {
  readonly handler: AnyHandler;
  readonly answers: boolean;
}

/** Gives messages of one entity to its handlers. A disposed one makes place for another. */
export class EntitySubscription implements Disposable {
  readonly #end: (unhandled: readonly Delivery[]) => void;
  #handlers: EntityHandlers | undefined;
  #queue: Delivery[] = [];

  constructor(end: (unhandled: readonly Delivery[]) => void) {
    this.#end = end;
  }

  /** Delivers the messages that waited, in order; those that come from now on go straight. */
  attach(handlers: EntityHandlers): void {
    this.#handlers = handlers;
    const waiting = this.#queue;
    this.#queue = [];
    for (const delivery of waiting) this.deliver(delivery);
  }

  /** Takes one message; false when its type has no handler here. */
  deliver(delivery: Delivery): boolean {
    if (this.#handlers === undefined) {
      this.#queue.push(delivery);
      return true;
    }
    const { messages = {}, requests = {} } = this.#handlers;
    const answering = requests[delivery.name as RequestName] as AnyHandler | undefined;
    const handler = answering ?? messages[delivery.name] as AnyHandler | undefined;
    if (handler === undefined) return false;
    run({ handler, answers: answering !== undefined }, delivery);
    return true;
  }

  /** Ends it; messages that still wait count as not handled. [transport 2.7.4] */
  [Symbol.dispose](): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.#end(waiting);
  }
}

/** Handlers by message, and by what a message is about. [transport 2.7] */
export class Dispatcher {
  readonly #handlers = new Map<MessageName, Registration>();
  readonly #entities = new Map<string, EntitySubscription>();
  readonly #observers = new Set<(name: MessageName, message: unknown) => void>();

  /**
   * Registers the one handler of a message; an answer is not sent, even for a request.
   *
   * @returns takes it back.
   */
  onMessage<N extends MessageName>(name: N, handler: MessageHandler<N>): () => void {
    return this.#register(name, { handler: handler as AnyHandler, answers: false });
  }

  /**
   * Registers the one handler of a request.
   *
   * @returns takes it back.
   */
  onRequest<N extends RequestName>(name: N, handler: RequestHandler<N>): () => void {
    return this.#register(name, { handler: handler as AnyHandler, answers: true });
  }

  /**
   * Shows every message to `observer` before its handler sees it; observing is not handling.
   *
   * @returns takes it back.
   */
  observe(observer: (name: MessageName, message: unknown) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /**
   * Lets the messages about one thing wait, until {@link EntitySubscription.attach}.
   *
   * @throws {Error} there is such a subscription. [transport 2.7.3]
   */
  subscribe(kind: EntityKind, id: bigint): EntitySubscription {
    const key = `${kind} ${id}`;
    if (this.#entities.has(key)) throw new Error(`Already subscribed to entity ${key}`);
    const subscription = new EntitySubscription((unhandled) => {
      if (this.#entities.get(key) === subscription) this.#entities.delete(key);
      for (const delivery of unhandled) delivery.unhandled();
    });
    this.#entities.set(key, subscription);
    return subscription;
  }

  /** Brings a message to its handler: its entity's, else its type's. */
  dispatch(delivery: Delivery): void {
    for (const observer of this.#observers) observer(delivery.name, delivery.message);
    if (this.#entityOf(delivery)?.deliver(delivery)) return;
    const registration = this.#handlers.get(delivery.name);
    if (registration === undefined) delivery.unhandled();
    else run(registration, delivery);
  }

  #entityOf({ name, message }: Delivery): EntitySubscription | undefined {
    const entity = messageInfo(name).entity;
    const kind = entity && KINDS[entity.message];
    if (kind === undefined) return undefined;
    const id = (message as Record<string, unknown>)[entity!.field];
    return this.#entities.get(`${kind} ${id}`);
  }

  #register(name: MessageName, registration: Registration): () => void {
    if (this.#handlers.has(name)) throw new Error(`Already handling ${name}; take it back before`);
    this.#handlers.set(name, registration);
    return () => {
      if (this.#handlers.get(name) === registration) this.#handlers.delete(name);
    };
  }
}

/** Runs a handler up to its first await, so that this much keeps the order. [transport 2.7.5] */
function run({ handler, answers }: Registration, delivery: Delivery): void {
  let result: unknown;
  try {
    result = handler(delivery.message as never, delivery.context);
  } catch (error) {
    result = Promise.reject(error);
  }
  if (answers || result instanceof Promise) delivery.handled(Promise.resolve(result), answers);
}
