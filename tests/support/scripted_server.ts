import { Peer, type PeerOptions } from "../../client/peer.ts";
import {
  decode,
  encode,
  type Init,
  messageByTag,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { type DecodedEnvelope, decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { message, payloadField } from "../../rpc/frame.ts";
import { decompress } from "../../rpc/zstd.ts";
import { MemorySocket } from "./memory_socket.ts";
import { waitUntil } from "./wait_until.ts";

/** An envelope with its payload decoded. */
export interface Received extends DecodedEnvelope {
  readonly name: MessageName;
  readonly value: unknown;
}

/** A server that does only what the test says, over a socket in memory. */
export class ScriptedServer {
  /** All that the client sent. */
  readonly received: Received[] = [];
  /** Why the client's connection ended. */
  end: string | undefined;
  readonly socket: MemorySocket;
  #nextId = 0;

  constructor(socket: MemorySocket) {
    this.socket = socket;
    socket.listen({
      message: (bytes) => {
        const envelope = decodeEnvelope(decompress(bytes, 1 << 26));
        const info = messageByTag(envelope.tag);
        if (info === undefined) throw new TypeError(`Unknown type ${envelope.tag} from the client`);
        this.received.push({
          ...envelope,
          name: info.name,
          value: decode(info.name, envelope.payload),
        });
      },
      closed: (reason) => void (this.end = reason),
    });
  }

  /** Sends a message, an answer if `respondingTo` is given; returns its envelope id. */
  send<N extends MessageName>(
    name: N,
    value: Init<MessageTypes[N]>,
    respondingTo = -1,
    sender: { ownerId: number; id: number } = { ownerId: -1, id: 0 },
  ): number {
    return this.sendEncoded(
      messageInfo(name).tag as number,
      encode(name, value),
      respondingTo,
      sender,
    );
  }

  /** Sends a payload as it is, under any tag. */
  sendEncoded(
    tag: number,
    payload: Uint8Array,
    respondingTo = -1,
    sender: { ownerId: number; id: number } = { ownerId: -1, id: 0 },
  ): number {
    const id = this.#nextId++;
    const field = payloadField(tag, payload);
    this.socket.send(message(id, respondingTo, sender.ownerId, sender.id, field));
    return id;
  }

  /** Waits until `count` messages came, and returns the last of them. */
  async take(count: number): Promise<Received> {
    await waitUntil(() => this.received.length >= count, {
      describe: `${count} messages of the client`,
    });
    return this.received[count - 1] as Received;
  }
}

/** A peer whose server is the test's; `Hello` has been sent, unless told otherwise. */
export async function scriptedPair(
  options: PeerOptions & { readonly hello?: boolean } = {},
): Promise<{ peer: Peer; server: ScriptedServer }> {
  const [near, far] = MemorySocket.pair();
  const server = new ScriptedServer(far);
  const peer = new Peer(near, options);
  if (options.hello ?? true) {
    server.send("Hello", { peerId: { ownerId: 7, id: 3 } });
    await peer.hello;
  }
  return { peer, server };
}
