/** One connection's requests, answers, streams and messages, over a socket. [transport 2] */
import { type Clock, systemClock } from "../lib/clock.ts";
import {
  decode,
  encode,
  type Init,
  messageByTag,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../proto/mod.ts";
import { type DecodedEnvelope, decodeEnvelope } from "../rpc/decode_envelope.ts";
import { ErrorCode } from "../rpc/errors.ts";
import { message as rawMessage, payloadField } from "../rpc/frame.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import { decompress } from "../rpc/zstd.ts";
import {
  Dispatcher,
  type EntityKind,
  type EntitySubscription,
  type MessageContext,
  type MessageHandler,
  type RequestHandler,
} from "./dispatcher.ts";
import {
  chainText,
  ConnectError,
  ConnectionClosedError,
  errorPayload,
  RequestError,
  WrongResponseError,
} from "./errors.ts";
import type { RequestName, ResponseOf } from "./responses_table.ts";
import { ResponseStream } from "./response_stream.ts";
import type { Socket } from "./transport.ts";
import { deferred } from "./platform.ts";

/** What a {@link Peer} is made with; nothing is needed. */
export interface PeerOptions {
  /** Handlers that are there already, for messages that come behind `Hello`. */
  readonly dispatcher?: Dispatcher;
  /**
   * Compresses an encoded envelope, into the frame that is sent. Without it messages go out as raw
   * frames, which need no compressor. [transport 12.5]
   */
  readonly compress?: (plain: Uint8Array) => Uint8Array;
  /** Where the turns of the event loop come from. */
  readonly clock?: Clock;
  /** Told of what is ignored: answers to nothing, messages nobody knows, handlers that fail. */
  readonly warn?: (text: string) => void;
}

/** Bytes that a message may have once decompressed. [design 3] */
const MAX_PLAIN = 64 * 1024 * 1024;

/** How often {@link Peer.drain} looks whether the network has taken everything, in milliseconds. */
const DRAIN_PAUSE = 10;

/** Takes answers: of a request or of a stream. */
interface Pending {
  /** @returns whether it is done, so that further answers have nobody to take them. */
  answer(envelope: DecodedEnvelope): boolean;
  fail(error: Error): void;
}

/**
 * The client's end of a connection. The first message has to be `Hello`; nothing is dispatched
 * before. Messages and answers are processed one by one in the order in which they arrive, and what
 * a requester does with its answer, up to its next wait, comes before the next message.
 */
export class Peer implements AsyncDisposable {
  /** Handlers of the messages. */
  readonly dispatcher: Dispatcher;
  /** The client's own id, which `Hello` tells; a {@link ConnectError} if it does not. */
  readonly hello: Promise<PeerId>;
  /** Resolves with the reason once the connection ended and all that waited for it has failed. */
  readonly closed: Promise<string>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #compress: ((plain: Uint8Array) => Uint8Array) | undefined;
  readonly #warn: (text: string) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #hello = deferred<PeerId>();
  readonly #closed = deferred<string>();
  /** What arrived, from {@link #next} on still to be processed. */
  #queue: Uint8Array[] = [];
  #next = 0;
  /** Why the socket ended; what is still in the queue comes first. */
  #end: string | undefined;
  readonly #disconnected = deferred<void>();
  #nextId = 0;
  #peerId: PeerId | undefined;
  /** Waits until a requester has resumed. */
  #blocked = false;
  #isPumping = false;
  #isClosed = false;
  #isEndedHere = false;
  /** Told when the last answer is there. */
  #drained: PromiseWithResolvers<void> | undefined;

  /** Starts to take what arrives; register handlers in the same turn, or give a dispatcher. */
  constructor(socket: Socket, options: PeerOptions = {}) {
    this.dispatcher = options.dispatcher ?? new Dispatcher();
    this.#socket = socket;
    this.#clock = options.clock ?? systemClock;
    this.#compress = options.compress;
    this.#warn = options.warn ?? (() => {});
    this.hello = this.#hello.promise;
    this.hello.catch(() => {});
    this.closed = this.#closed.promise;
    socket.listen({
      message: (bytes) => {
        if (this.#isClosed) return;
        this.#queue.push(bytes);
        this.#pump();
      },
      closed: (reason) => {
        this.#end ??= reason;
        this.#disconnected.resolve();
        this.#pump();
      },
    });
  }

  /** The client's own id; undefined before `Hello`. */
  get peerId(): PeerId | undefined {
    return this.#peerId;
  }

  /** Whether the connection has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether this side ended it, not the other nor the network. [transport 3.5.5] */
  get isEndedHere(): boolean {
    return this.#isEndedHere;
  }

  /** Bytes that the network has not taken yet. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * Sends a request.
   *
   * @returns its answer, without a time limit; fails with {@link RequestError} for an `Error`, with
   *   {@link ConnectionClosedError} when the connection ends before.
   */
  request<N extends RequestName>(name: N, value: Init<MessageTypes[N]>): Promise<ResponseOf<N>> {
    return new Promise((resolve, reject) => {
      this.#ask(name, value, {
        answer: (envelope) => {
          try {
            resolve(readAnswer(name, envelope));
          } catch (error) {
            reject(error);
          }
          return true;
        },
        fail: reject,
      });
    });
  }

  /**
   * Sends a request that is answered with many messages. [transport 2.5]
   *
   * @returns the answers up to `EndStream`; an `Error` throws and ends it.
   */
  stream<N extends RequestName>(
    name: N,
    value: Init<MessageTypes[N]>,
  ): AsyncIterableIterator<ResponseOf<N>> {
    let id = -1;
    const stream = new ResponseStream<ResponseOf<N>>(() => this.#pending.delete(id));
    try {
      id = this.#ask(name, value, {
        answer: (envelope) => {
          if (envelope.tag === END_STREAM) {
            stream.end();
            return true;
          }
          try {
            stream.push(readAnswer(name, envelope));
            return false;
          } catch (error) {
            stream.fail(error);
            return true;
          }
        },
        fail: (error) => stream.fail(error),
      });
    } catch (error) {
      stream.fail(error);
    }
    return stream;
  }

  /**
   * Sends a message to which no answer is expected; after the end of the connection, to nobody.
   *
   * @throws {TypeError} the value does not fit the message.
   */
  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): void {
    this.#write(name, value, -1);
  }

  /** As {@link Dispatcher.onMessage}. */
  onMessage<N extends MessageName>(name: N, handler: MessageHandler<N>): () => void {
    return this.dispatcher.onMessage(name, handler);
  }

  /** As {@link Dispatcher.onRequest}. */
  onRequest<N extends RequestName>(name: N, handler: RequestHandler<N>): () => void {
    return this.dispatcher.onRequest(name, handler);
  }

  /** As {@link Dispatcher.subscribe}. */
  subscribe(kind: EntityKind, id: bigint): EntitySubscription {
    return this.dispatcher.subscribe(kind, id);
  }

  /**
   * Ends in order: refuses new requests, waits for the answers to those before, and until the network
   * has taken what was sent. Requests of the server are answered meanwhile.
   */
  async drain(): Promise<void> {
    if (this.#isClosed) return;
    this.#drained ??= deferred();
    if (this.#pending.size === 0) this.#drained.resolve();
    await this.#drained.promise;
    while (!this.#isClosed && this.#socket.bufferedAmount > 0) {
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, DRAIN_PAUSE));
    }
    this.close("drained");
    await this.closed;
  }

  /**
   * Ends the connection as if the network had: it is lost, and another may be made. Nobody waits for
   * the socket's own end: over a silent network that may take a minute.
   */
  drop(reason: string): void {
    this.#disconnected.resolve();
    this.#finish(reason);
  }

  /** Ends the connection; what is not yet processed is dropped. */
  close(reason = "closed by this client"): void {
    if (!this.#isClosed && this.#end === undefined) this.#isEndedHere = true;
    this.#finish(reason);
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  #ask<N extends RequestName>(name: N, value: Init<MessageTypes[N]>, pending: Pending): number {
    if (this.#isClosed) throw new ConnectionClosedError();
    if (this.#drained !== undefined) {
      throw new ConnectionClosedError(`Cannot send ${name}: the connection is being drained`);
    }
    const id = this.#write(name, value, -1);
    this.#pending.set(id, pending);
    return id;
  }

  #write<N extends MessageName>(
    name: N,
    value: Init<MessageTypes[N]>,
    respondingTo: number,
  ): number {
    const { tag, field } = messageInfo(name);
    if (tag === undefined) throw new TypeError(`Cannot send ${name}: it is no message of its own`);
    const id = this.#nextId;
    let bytes: Uint8Array;
    if (this.#compress === undefined) {
      bytes = rawMessage(id, respondingTo, -1, 0, payloadField(tag, encode(name, value)));
    } else {
      const envelope = {
        id,
        respondingTo: respondingTo < 0 ? undefined : respondingTo,
        [field as string]: value,
      };
      bytes = this.#compress(encode("Envelope", envelope));
    }
    this.#nextId = id + 1;
    if (!this.#isClosed) this.#socket.send(bytes);
    return id;
  }

  #pump(): void {
    if (this.#isPumping || this.#blocked) return;
    this.#isPumping = true;
    while (this.#next < this.#queue.length && !this.#blocked) {
      const bytes = this.#queue[this.#next++] as Uint8Array;
      try {
        this.#take(decodeEnvelope(decompress(bytes, MAX_PLAIN)));
      } catch (error) {
        this.#finish(`cannot read a message: ${chainText(error)}`);
      }
    }
    this.#isPumping = false;
    const isEmpty = this.#next >= this.#queue.length;
    if (isEmpty || this.#next > 1024) {
      this.#queue = isEmpty ? [] : this.#queue.slice(this.#next);
      this.#next = 0;
    }
    if (isEmpty && this.#end !== undefined && !this.#blocked) this.#finish(this.#end);
  }

  #take(envelope: DecodedEnvelope): void {
    if (this.#peerId === undefined) return this.#takeHello(envelope);
    if (envelope.respondingTo !== undefined) {
      return this.#takeAnswer(envelope, envelope.respondingTo);
    }
    const info = messageByTag(envelope.tag);
    if (info === undefined) {
      return this.#warn(`Ignored a message of the unknown type ${envelope.tag}`);
    }
    const { name, response } = info;
    const context: MessageContext = {
      id: envelope.id,
      originalSenderId: envelope.originalSenderId,
    };
    this.dispatcher.dispatch({
      name,
      message: decode(name, envelope.payload),
      context,
      handled: (result, isAnswer) => {
        result.then((value) => {
          if (!isAnswer || response === undefined) return;
          this.#write(response, value as Init<MessageTypes[MessageName]>, envelope.id);
        }).catch((error) => {
          this.#warn(`Failed to handle ${name}: ${chainText(error)}`);
          if (isAnswer) this.#write("Error", errorPayload(error), envelope.id);
        });
      },
      unhandled: () => {
        // Also for what is no request: servers ignore answers to nothing. [transport 2.7.6]
        const message = `message ${name} was not handled`;
        this.#write("Error", { code: ErrorCode.Internal, message }, envelope.id);
      },
    });
  }

  #takeHello(envelope: DecodedEnvelope): void {
    const peerId = envelope.tag === HELLO && envelope.respondingTo === undefined
      ? decode("Hello", envelope.payload).peerId
      : undefined;
    if (peerId === undefined) {
      return this.#finish(envelope.tag === HELLO ? "it has no peer id" : "another came first");
    }
    this.#peerId = peerId;
    this.#hello.resolve(peerId);
    this.#awaitRequester();
  }

  #takeAnswer(envelope: DecodedEnvelope, id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#warn(`Ignored an answer to the unknown request ${id}`);
    if (pending.answer(envelope)) this.#pending.delete(id);
    if (this.#pending.size === 0) this.#drained?.resolve();
    this.#awaitRequester();
  }

  /** Lets the one who waited run on, up to his next wait. [transport 2.3.2] [transport 12.7] */
  #awaitRequester(): void {
    this.#blocked = true;
    this.#clock.setImmediate(() => {
      this.#blocked = false;
      this.#pump();
    });
  }

  #finish(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    const isSilent = this.#end !== undefined;
    this.#socket.close();
    this.#hello.reject(
      new ConnectError(`${isSilent ? "No hello" : "Unusable hello"} message received: ${reason}`),
    );
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#drained?.resolve();
    for (const { fail } of pending) fail(new ConnectionClosedError());
    // Requesters learn of it before those who watch the connection. [transport 12.10]
    this.#clock.setImmediate(async () => {
      await this.#disconnected.promise;
      this.#closed.resolve(reason);
    });
  }
}

const HELLO = messageInfo("Hello").tag as number;
const ERROR = messageInfo("Error").tag as number;
const END_STREAM = messageInfo("EndStream").tag as number;

/** The answer of a request. [transport 2.3.7] [transport 2.3.8] */
function readAnswer<N extends RequestName>(name: N, envelope: DecodedEnvelope): ResponseOf<N> {
  const { tag, payload } = envelope;
  if (tag === ERROR) {
    const { code, message, tags } = decode("Error", payload);
    throw new RequestError(name, code, message, tags);
  }
  const response = messageInfo(name).response as MessageName;
  if (tag !== messageInfo(response).tag) {
    const found = messageByTag(tag)?.name ?? `type ${tag}`;
    throw new WrongResponseError(
      `Received response of the wrong type to ${name}: ${found} instead of ${response}`,
    );
  }
  return decode(response, payload) as ResponseOf<N>;
}
