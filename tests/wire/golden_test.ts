/** What the reference server sent, decoded and encoded again. */
import { assertEquals } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import { decode, encode, type Envelope, messageInfo, type MessageName } from "../../proto/mod.ts";
import { jsonOf, type Value } from "./wire_facts.ts";

interface GoldenFrame {
  readonly frame: string;
  readonly type: MessageName;
  readonly id: number;
  readonly responding_to: number | null;
  readonly original_sender_id: string;
  readonly body: Record<string, unknown>;
}

const frames = Deno.readTextFileSync(new URL("../data/golden-frames.jsonl", import.meta.url))
  .trim().split("\n").map(readFrame);

/** Some absent messages are recorded as null, others are not recorded. */
function readFrame(line: string): GoldenFrame {
  const { body, ...frame } = JSON.parse(line) as GoldenFrame;
  const present = JSON.stringify(body, (_, value) => value === null ? undefined : value);
  return { ...frame, body: JSON.parse(present) as Record<string, unknown> };
}

function plainBytes(frame: GoldenFrame): Uint8Array {
  return new Uint8Array(zstdDecompressSync(Uint8Array.fromBase64(frame.frame)));
}

function payloadOf(envelope: Envelope, type: MessageName): Value {
  const field = messageInfo(type).field as keyof Envelope;
  return envelope[field] as unknown as Value;
}

Deno.test("[design 3b] golden frames decode to what the reference server meant", () => {
  assertEquals(frames.length, 109);
  for (const [index, frame] of frames.entries()) {
    const envelope = decode("Envelope", plainBytes(frame));
    const json = jsonOf(frame.type, payloadOf(envelope, frame.type));
    assertEquals(json, frame.body, `frame ${index}, ${frame.type}`);
  }
});

Deno.test("[design 3b] golden frames encode to the bytes that the reference server sent", () => {
  for (const [index, frame] of frames.entries()) {
    const bytes = plainBytes(frame);
    const envelope = decode("Envelope", bytes);
    const again = encode("Envelope", envelope);
    assertEquals(decode("Envelope", again), envelope, `frame ${index}, ${frame.type}`);
    assertEquals(again, bytes, `frame ${index}, ${frame.type}`);
  }
});

Deno.test("[transport 2.2] golden frames have the recorded header and one payload", () => {
  for (const [index, frame] of frames.entries()) {
    const envelope = decode("Envelope", plainBytes(frame));
    const { id, respondingTo, originalSenderId, ackId, ...payload } = envelope;
    const about = `frame ${index}, ${frame.type}`;
    const sender = originalSenderId === undefined
      ? ""
      : `${originalSenderId.ownerId}:${originalSenderId.id}`;
    assertEquals(id, frame.id, about);
    assertEquals(respondingTo, frame.responding_to ?? undefined, about);
    assertEquals(sender, frame.original_sender_id, about);
    assertEquals(ackId, undefined, about);
    assertEquals(Object.keys(payload), [messageInfo(frame.type).field as string], about);
  }
});
