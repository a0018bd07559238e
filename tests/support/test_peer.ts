import { zstdCompressSync } from "node:zlib";
import { handshakeHeaders } from "../../client/connect.ts";
import { RequestError } from "../../client/errors.ts";
import type { RequestName, ResponseOf } from "../../client/responses_table.ts";
import type { Socket } from "../../client/transport.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import {
  decode,
  encode,
  type Init,
  messageByTag,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { message, payloadField } from "../../rpc/frame.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { decompress } from "../../rpc/zstd.ts";
import { waitUntil } from "./wait_until.ts";

/** An envelope as it came, with its payload decoded. */
export interface Received<N extends MessageName = MessageName> {
  readonly id: number;
  readonly respondingTo: number | undefined;
  readonly originalSenderId: PeerId | undefined;
  readonly name: N;
  readonly value: MessageTypes[N];
  /** The payload's bytes. */
  readonly payload: Uint8Array;
}

/** How a {@link TestPeer} connects. */
export interface TestPeerOptions {
  /** What it claims to be; of 2026 unless told otherwise. */
  readonly version?: string;
  /** Compresses what it sends, as Zed does. */
  readonly likeZed?: boolean;
}

/** Where and as whom a {@link TestPeer} connects. */
export interface TestPeerAddress {
  /** The server's http: URL. */
  readonly url: string;
  readonly user: { readonly id: number; readonly login: string; readonly token: string };
}

const MAX_PLAIN = 1 << 26;

/**
 * One connection, written down: every envelope in the order in which it came, with its ids. It does
 * nothing by itself; {@link TestPeer.on} makes it answer.
 */
export class TestPeer implements AsyncDisposable {
  readonly login: string;
  readonly userId: bigint;
  /** All envelopes, `Hello` first. */
  readonly received: Received[] = [];
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<string>;
  readonly #socket: Socket;
  readonly #likeZed: boolean;
  readonly #handlers = new Map<MessageName, (received: Received) => void>();
  #nextId = 0;
  /** Envelopes before it were handed out by {@link next} or left behind by {@link skip}. */
  #taken = 0;
  #end: string | undefined;

  private constructor(socket: Socket, { user }: TestPeerAddress, options: TestPeerOptions) {
    this.login = user.login;
    this.userId = BigInt(user.id);
    this.#socket = socket;
    this.#likeZed = options.likeZed ?? false;
    const closed = Promise.withResolvers<string>();
    this.closed = closed.promise;
    socket.listen({
      message: (bytes) => this.#take(bytes),
      closed: (reason) => {
        this.#end = reason;
        closed.resolve(reason);
      },
    });
  }

  /** Connects and waits for `Hello`. */
  static async connect(
    address: TestPeerAddress,
    options: TestPeerOptions = {},
  ): Promise<TestPeer> {
    const { url, user } = address;
    const headers = handshakeHeaders({
      credentials: { userId: user.id, token: user.token },
      appVersion: options.version ?? "1.0.0",
    });
    const rpc = new URL("/rpc", url);
    rpc.protocol = rpc.protocol === "https:" ? "wss:" : "ws:";
    const socket = await denoTransport.connect(rpc, headers, AbortSignal.timeout(60_000));
    const peer = new TestPeer(socket, address, options);
    await peer.next("Hello");
    return peer;
  }

  /** The id that `Hello` told. */
  get peerId(): PeerId {
    return (this.received[0] as Received<"Hello">).value.peerId as PeerId;
  }

  /** Why the connection ended; undefined while it is open. */
  get end(): string | undefined {
    return this.#end;
  }

  /** Sends a message; returns its envelope id. */
  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): number {
    return this.sendEncoded(messageInfo(name).tag as number, encode(name, value));
  }

  /** Sends an answer. */
  reply<N extends MessageName>(
    to: { readonly id: number },
    name: N,
    value: Init<MessageTypes[N]>,
  ): number {
    return this.sendEncoded(messageInfo(name).tag as number, encode(name, value), to.id);
  }

  /** Sends a payload as it is, under any tag; returns its envelope id. */
  sendEncoded(tag: number, payload: Uint8Array, respondingTo = -1): number {
    const id = this.#nextId++;
    const field = payloadField(tag, payload);
    if (!this.#likeZed) {
      this.#socket.send(message(id, respondingTo, -1, 0, field));
      return id;
    }
    const header = encode("Envelope", {
      id,
      ...(respondingTo >= 0 && { respondingTo }),
    });
    const plain = new Uint8Array(header.length + field.length);
    plain.set(header);
    plain.set(field, header.length);
    this.#socket.send(zstdCompressSync(plain));
    return id;
  }

  /** Sends a WebSocket message as it is. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Sends a request and waits for its answer, an `Error` too. */
  async ask<N extends RequestName>(name: N, value: Init<MessageTypes[N]>): Promise<Received> {
    return await this.answer(this.send(name, value));
  }

  /** As {@link ask}, for what must succeed. @throws {RequestError} */
  async call<N extends RequestName>(
    name: N,
    value: Init<MessageTypes[N]>,
  ): Promise<ResponseOf<N>> {
    const answer = await this.ask(name, value);
    if (answer.name === "Error") {
      const { code, message, tags } = (answer as Received<"Error">).value;
      throw new RequestError(name, code, message, tags);
    }
    return answer.value as ResponseOf<N>;
  }

  /** The first answer to what was sent under that id; waits for it. */
  async answer(id: number): Promise<Received> {
    return await this.#wait(
      () => this.received.find(({ respondingTo }) => respondingTo === id),
      () => `an answer to message ${id}`,
    );
  }

  /** All answers so far to what was sent under that id. */
  answers(id: number): Received[] {
    return this.received.filter(({ respondingTo }) => respondingTo === id);
  }

  /**
   * The next message of that name that is no answer and fits, from the place where the last call
   * stopped; waits for it. What is before it is passed over.
   */
  async next<N extends MessageName>(
    name: N,
    fits: (value: MessageTypes[N]) => boolean = () => true,
  ): Promise<Received<N>> {
    const found = await this.#wait(
      () => {
        const at = this.received.findIndex((one, index) =>
          index >= this.#taken && one.name === name && one.respondingTo === undefined &&
          fits(one.value as MessageTypes[N])
        );
        if (at < 0) return undefined;
        this.#taken = at + 1;
        return this.received[at];
      },
      () => `${name} behind the first ${this.#taken} envelopes`,
    );
    return found as Received<N>;
  }

  /** Calls `handler` with each message of that name that is no answer, as it comes. */
  on<N extends MessageName>(name: N, handler: (received: Received<N>) => void): void {
    this.#handlers.set(name, handler as (received: Received) => void);
  }

  /** From now on {@link next} and {@link fresh} see only what comes later. */
  skip(): void {
    this.#taken = this.received.length;
  }

  /** What came since {@link skip} or {@link next}. */
  fresh(): Received[] {
    return this.received.slice(this.#taken);
  }

  /** The messages of that name, answers too, so far. */
  all<N extends MessageName>(name: N): MessageTypes[N][] {
    return this.received.filter((one) => one.name === name)
      .map(({ value }) => value as MessageTypes[N]);
  }

  /**
   * Resolves when the server has handled all that this peer sent, and all that it told this peer
   * until then is here. The `Ping` and its `Ack` are left out of {@link received}.
   */
  async settle(): Promise<void> {
    const id = this.send("Ping", {});
    await this.answer(id);
    const at = this.received.findIndex(({ respondingTo }) => respondingTo === id);
    this.received.splice(at, 1);
    if (at < this.#taken) this.#taken--;
  }

  /** Ends the connection; resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #take(bytes: Uint8Array): void {
    const { id, respondingTo, originalSenderId, tag, payload } = decodeEnvelope(
      decompress(bytes, MAX_PLAIN),
    );
    const info = messageByTag(tag);
    if (info === undefined) throw new TypeError(`Unknown type ${tag} from the server`);
    const { name } = info;
    const value = decode(name, payload);
    const received = {
      id,
      respondingTo,
      originalSenderId,
      name,
      value,
      payload: payload.slice(),
    } as Received;
    this.received.push(received);
    if (respondingTo === undefined) this.#handlers.get(name)?.(received);
  }

  async #wait(condition: () => Received | undefined, describe: () => string): Promise<Received> {
    const found = await waitUntil(() => condition() ?? (this.#end !== undefined && "ended"), {
      describe: () =>
        `${describe()} at ${this.login}; the last were ${
          this.received.slice(-20).map(({ name }) => name).join(", ")
        }`,
    });
    if (found !== "ended") return found;
    throw new Error(`The connection of ${this.login} has ended before ${describe()}: ${this.#end}`);
  }
}

/** Lets every peer in turn {@link TestPeer.settle}: first those who sent, then those who were told. */
export async function settle(...peers: readonly TestPeer[]): Promise<void> {
  for (const peer of peers) await peer.settle();
}
