import { type DecodedEnvelope, decodeEnvelope } from "../../../rpc/decode_envelope.ts";
import { decompress } from "../../../rpc/zstd.ts";
import { decode, messageByTag, type MessageName } from "../../../proto/mod.ts";

/** A message as its receiver reads it. */
export interface ReadMessage extends DecodedEnvelope {
  readonly name: MessageName;
  readonly value: Record<string, unknown>;
}

/** A socket that keeps what is sent, and whose buffer a test fills and empties. */
export class FakeSocket {
  /** Bytes that the system has not taken; everything sent is taken at once unless `stuck`. */
  bufferedAmount = 0;
  /** While true, what is sent stays in the buffer. */
  stuck = false;
  /** What was sent, in order, as copies. */
  readonly sent: Uint8Array[] = [];
  /** Why the server closed it. */
  closed: { readonly code: number; readonly reason: string } | undefined;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes.slice());
    if (this.stuck) this.bufferedAmount += bytes.length;
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }

  /** The peer reads everything. */
  drain(): void {
    this.stuck = false;
    this.bufferedAmount = 0;
  }

  /** Everything sent, decoded. */
  get messages(): ReadMessage[] {
    return this.sent.map(readMessage);
  }

  /** Names of everything sent. */
  get names(): MessageName[] {
    return this.messages.map(({ name }) => name);
  }

  /** Everything sent since the last call, decoded. */
  take(): ReadMessage[] {
    return this.sent.splice(0).map(readMessage);
  }
}

function readMessage(bytes: Uint8Array): ReadMessage {
  const envelope = decodeEnvelope(decompress(bytes, 1 << 26).slice());
  const name = messageByTag(envelope.tag)?.name;
  if (name === undefined) throw new TypeError(`Unknown payload ${envelope.tag}`);
  const value = decode(name, envelope.payload) as unknown as Record<string, unknown>;
  return { ...envelope, name, value };
}
