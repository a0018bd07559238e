import {
  EnvelopeView,
  Routing,
  type RoutingSpec,
  walkEnvelope,
  walkPayload,
} from "../rpc/envelope.ts";
import { encode } from "../proto/mod.ts";
import { validatePayload } from "../proto/validate.ts";
import { ackFrame, forward, message, payloadField } from "../rpc/frame.ts";
import { decodesAlike, decompress } from "../rpc/zstd.ts";
import { compress } from "../rpc/zstd_compress.ts";

const ROUNDS = 7;
const LIMIT = 64 * 1024 * 1024;
/** `UpdateBuffer` in the envelope. */
const TAG = 60;
const CREATE_BUFFER_FOR_PEER = 59;
const SPEC: RoutingSpec = { id: 1, peer: 0, first: 0, last: 0, inner: 3, innerOnly: 3 };

/** Measures what each message costs between the socket and the actors. */
export function benchWire(): Promise<{ name: string; value: string }[]> {
  const field = payloadField(TAG, updateBuffer());
  const raw = message(7, -1, -1, 0, field);
  const plain = decompress(raw, LIMIT).slice();
  const zstd = compress(plain);
  const large = compress(new Uint8Array(1_000_000).map((_, at) => (at * at) >>> 9));
  const text = encode("CreateBufferForPeer", {
    projectId: 1n,
    state: { id: 1n, baseText: "const naïve = 1;\n".repeat(5_500) },
  });
  const view = new EnvelopeView();
  const routing = new Routing();
  let id = 0;

  return Promise.resolve([
    line(`decompress, ${raw.length} B, raw`, 200_000, () => decompress(raw, LIMIT)),
    line(`decompress, ${zstd.length} B, zstd`, 200_000, () => decompress(zstd, LIMIT)),
    line("decompress to 1 MB", 20, () => decompress(large, LIMIT)),
    line("decodes alike", 500_000, () => decodesAlike(zstd, plain.length)),
    line(`walk of the envelope, ${plain.length} B`, 1_000_000, () => walkEnvelope(plain, view)),
    line("walk of the payload", 1_000_000, () => walkPayload(view, SPEC, routing)),
    line(
      "check of the payload's contents",
      500_000,
      () => validatePayload(TAG, plain, view.payloadStart, view.payloadEnd),
    ),
    line(
      `check of a text of ${text.length} B`,
      5_000,
      () => validatePayload(CREATE_BUFFER_FOR_PEER, text, 0, text.length),
    ),
    line("forward", 300_000, () => forward(zstd, id++, -1, 1, 5)),
    line("ack", 300_000, () => ackFrame(id++, 1000)),
    line("message", 300_000, () => message(id++, -1, -1, 0, field)),
  ]);
}

/** One inserted word, as Zed sends it: ids, timestamps, a version of three replicas. */
function updateBuffer(): Uint8Array {
  const version = [0x1a, 5, 0x08, 1, 0x10, 0x90, 0x4e];
  const text = new TextEncoder().encode("function");
  const edit = [
    ...[0x08, 1, 0x10, 0x91, 0x4e],
    ...version,
    ...version,
    ...version,
    ...[0x22, 4, 0x08, 5, 0x10, 5, 0x2a, text.length, ...text],
  ];
  const operation = [0x0a, edit.length, ...edit];
  const operations = [0x1a, operation.length, ...operation];
  return Uint8Array.from([0x08, 0xac, 0x02, 0x10, 0x81, 0x80, 0x04, ...operations, ...operations]);
}

function line(what: string, calls: number, run: () => void): { name: string; value: string } {
  for (let call = 0; call < calls / 10; call++) run();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let call = 0; call < calls; call++) run();
    times.push((performance.now() - start) * 1000 / calls);
  }
  times.sort((a, b) => a - b);
  const median = times[ROUNDS >> 1] as number;
  return { name: `wire: ${what}`, value: `${median.toFixed(3)} µs` };
}
