import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { decode, encode } from "../../proto/mod.ts";
import { decodeEnvelope } from "../../rpc/decode_envelope.ts";
import {
  EnvelopeError,
  type EnvelopeErrorReason,
  EnvelopeView,
  Routing,
  type RoutingSpec,
  walkEnvelope,
  walkPayload,
} from "../../rpc/envelope.ts";
import { RandomSource } from "../support/random.ts";

const NO_SPEC: RoutingSpec = { id: 0, peer: 0, first: 0, last: 0, inner: 0, innerOnly: 0 };
const PROJECT: RoutingSpec = { ...NO_SPEC, id: 1 };
const FOLLOW: RoutingSpec = { ...NO_SPEC, id: 1, peer: 3 };
const UPDATE_BUFFER: RoutingSpec = { ...NO_SPEC, id: 1, inner: 3, innerOnly: 3 };
const LSP_QUERY: RoutingSpec = { ...NO_SPEC, id: 1, first: 3, last: 19 };

function walked(...bytes: number[]): EnvelopeView {
  const view = new EnvelopeView();
  walkEnvelope(Uint8Array.from(bytes), view);
  return view;
}

/** Bytes of an envelope with that payload, whose length fits a byte. */
function envelope(payload: readonly number[]): number[] {
  assert(payload.length < 128);
  return [0x08, 7, 0x22, payload.length, ...payload];
}

function routed(spec: RoutingSpec, ...payload: number[]): Routing {
  const routing = new Routing();
  walkPayload(walked(...envelope(payload)), spec, routing);
  return routing;
}

function refuses(reason: EnvelopeErrorReason, ...bytes: number[]): void {
  assertEquals(assertThrows(() => walked(...bytes), EnvelopeError).reason, reason);
}

function refusesPayload(spec: RoutingSpec, reason: EnvelopeErrorReason, ...payload: number[]) {
  assertEquals(assertThrows(() => routed(spec, ...payload), EnvelopeError).reason, reason);
}

Deno.test("[transport 2.2] the walk finds id, request and payload in any order", () => {
  const fields = [[0x08, 0xac, 0x02], [0x10, 0x00], [0x2a, 3, 1, 2, 3]];
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]]) {
    const view = walked(...order.flatMap((index) => fields[index] as number[]));
    assertEquals([view.id, view.respondingTo, view.tag, view.verbatim], [300, 0, 5, true]);
    const payload = view.plain.subarray(view.payloadStart, view.payloadEnd);
    assertEquals(payload, Uint8Array.of(1, 2, 3));
  }
});

Deno.test("[transport 2.2] absent fields read as no request, id 0, no payload", () => {
  const view = walked();
  assertEquals([view.id, view.respondingTo, view.tag], [0, -1, 0]);
  assertEquals(view.payloadStart, view.payloadEnd);
});

Deno.test("[transport 2.2] an earlier walk leaves nothing in the view", () => {
  const view = walked(0x08, 9, 0x10, 8, 0x22, 0, 0xa0, 0x06, 1);
  walkEnvelope(new Uint8Array(0), view);
  assertEquals([view.id, view.respondingTo, view.tag, view.verbatim], [0, -1, 0, true]);
});

Deno.test("[transport 1.6.5] unknown fields are skipped, but not passed on", () => {
  const view = walked(0xa0, 0x06, 0xff, 0x01, 0x08, 5, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals([view.id, view.tag, view.verbatim], [5, 0, false]);
  assertEquals(walked(0xa5, 0x06, 1, 2, 3, 4, 0x22, 0).tag, 4);
});

Deno.test("[transport 2.3.7] an unknown payload is found like a known one", () => {
  assertEquals(walked(0x82, 0xf1, 0x04, 1, 9).tag, 10_000);
});

Deno.test("[design 1.7c] the walk refuses groups", () => {
  refuses("group", 0x08, 1, 0x23, 0x24);
  refuses("group", 0x24);
});

Deno.test("[design 1.7c] the walk refuses a second payload, of the same type or another", () => {
  refuses("second-payload", 0x22, 0, 0x22, 0);
  refuses("second-payload", 0x22, 0, 0x2a, 0);
  refuses("second-payload", 0x22, 0, 0x82, 0xf1, 0x04, 0);
  refuses("second-payload", 0x82, 0xf1, 0x04, 0, 0x22, 0);
  refuses("second-payload", 0x22, 0, 0xfa, 0x7f, 0, 0x2a, 0);
});

Deno.test("[transport 1.6.5] a field of newer clients beside the payload is skipped, but not passed on", () => {
  const unknown = [0xfa, 0x7f, 1, 9];
  const known = [0x22, 2, 1, 2];
  for (const fields of [[unknown, known], [known, unknown], [unknown, known, unknown]]) {
    const view = walked(...fields.flat());
    assertEquals([view.tag, view.verbatim], [4, false]);
    const payload = view.plain.subarray(view.payloadStart, view.payloadEnd);
    assertEquals(payload, Uint8Array.of(1, 2));
  }
  refuses("truncated", ...known, 0xfa, 0x7f, 2, 9);
});

Deno.test("[design 1.7c] the walk refuses a second id", () => {
  refuses("second-id", 0x08, 0, 0x08, 0);
  refuses("second-id", 0x08, 1, 0x22, 0, 0x08, 2);
});

Deno.test("[design 1.7c] the walk refuses a second responding_to", () => {
  refuses("second-responding-to", 0x10, 0, 0x10, 0);
  refuses("second-responding-to", 0x10, 1, 0x22, 0, 0x10, 2);
});

Deno.test("[design 1.7c] [transport 2.2] the walk skips original_sender_id and ack_id, which are not passed on", () => {
  const view = walked(0x1a, 4, 8, 1, 16, 1, 0x08, 5, 0x22, 1, 9, 0xd0, 0x10, 7, 0x1a, 0);
  assertEquals([view.id, view.tag, view.verbatim], [5, 4, false]);
  assertEquals(view.plain.subarray(view.payloadStart, view.payloadEnd), Uint8Array.of(9));
  refuses("truncated", 0x1a, 4, 8, 1);
  refuses("truncated", 0xd0, 0x10, 0x80);
  refuses("wire-type", 0x18, 0);
  refuses("wire-type", 0xd2, 0x10, 0);
});

Deno.test("[design 1.7c] the walk refuses field 0 and wire types that do not exist", () => {
  refuses("field-zero", 0x00, 1);
  refuses("field-zero", 0x02, 0);
  refuses("wire-type", 0x26, 0);
  refuses("wire-type", 0x27, 0);
});

Deno.test("[design 1.7c] the walk refuses header fields of another wire type", () => {
  refuses("wire-type", 0x0a, 1, 1);
  refuses("wire-type", 0x0d, 1, 2, 3, 4);
  refuses("wire-type", 0x12, 0);
});

Deno.test("[design 1.7c] the walk refuses numbers that are too long or too large", () => {
  assertEquals(walked(0x08, 0xff, 0xff, 0xff, 0xff, 0x0f).id, 0xffff_ffff);
  refuses("varint", 0x08, 0xff, 0xff, 0xff, 0xff, 0x10);
  refuses("varint", 0x10, 0x85, 0x80, 0x80, 0x80, 0x80, 0x01);
  refuses("varint", 0x08, 0x81, 0x00);
  refuses("varint", 0x88, 0x00, 0x01);
  refuses("varint", 0x22, 0x80, 0x00);
  refuses("varint", 0xa0, 0x06, ...new Array(9).fill(0xff), 0x02);
  assertEquals(walked(0xa0, 0x06, ...new Array(9).fill(0xff), 0x01).tag, 0);
});

Deno.test("[design 1.7e] the walk ends exactly at the end", () => {
  refuses("truncated", 0x08);
  refuses("truncated", 0x08, 0x80);
  refuses("truncated", 0x88);
  refuses("truncated", 0x22);
  refuses("truncated", 0x22, 2, 1);
  refuses("truncated", 0x22, 0xff, 0xff, 0xff, 0xff, 0x0f);
  refuses("truncated", 0x25, 1, 2, 3);
  refuses("truncated", 0x21, 1, 2, 3, 4, 5, 6, 7);
  refuses("truncated", 0xa0, 0x06, 0x80);
});

Deno.test("[projects 1.8] the payload's project is found", () => {
  assertEquals(routed(PROJECT, 0x08, 0xac, 0x02).id, 300);
  assertEquals(routed(PROJECT, 0x12, 1, 9, 0x08, 4, 0x1d, 0, 0, 0, 0).id, 4);
  assertEquals(routed(PROJECT).id, 0, "proto3's default");
  assertEquals(routed(NO_SPEC, 0x08, 4).id, -1);
});

Deno.test("[projects 1.7] ids beyond what a number can hold are no id", () => {
  const exact = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assertEquals(routed(PROJECT, 0x08, ...exact).id, Number.MAX_SAFE_INTEGER);
  const beyond = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
  assertEquals(routed(PROJECT, 0x08, ...beyond).id, -2);
  assertEquals(routed(PROJECT, 0x08, ...new Array(9).fill(0xff), 0x01).id, -2);
  refusesPayload(PROJECT, "varint", 0x08, ...new Array(9).fill(0xff), 0x02);
});

Deno.test("[projects 9.6] the payload's peer is found", () => {
  const payload = encode("Follow", { roomId: 3n, leaderId: { ownerId: 2, id: 300 } });
  const routing = routed(FOLLOW, ...payload);
  assertEquals([routing.id, routing.peerOwner, routing.peerId], [3, 2, 300]);
  const empty = routed(FOLLOW, 0x1a, 0);
  assertEquals([empty.peerOwner, empty.peerId], [0, 0]);
  const absent = routed(FOLLOW, 0x08, 1);
  assertEquals([absent.peerOwner, absent.peerId], [-1, -1]);
});

Deno.test("[projects 8.6] the payload's variant is found, known or not", () => {
  assertEquals(routed(LSP_QUERY, 0x08, 1, 0x2a, 0).variant, 5);
  assertEquals(routed(LSP_QUERY, 0x9a, 0x01, 0).variant, 19);
  assertEquals(routed(LSP_QUERY, 0x08, 1).variant, 0);
  assertEquals(routed(LSP_QUERY, 0x2a, 0, 0x78, 1).variant, 5, "server_id is no variant");
  assertEquals(routed(LSP_QUERY, 0xa2, 0x01, 0).variant, 0, "beyond the range");
});

Deno.test("[projects 9.3] operations write, unless they are selections or empty", () => {
  const writes = (...operations: number[][]) =>
    routed(UPDATE_BUFFER, 8, 1, ...operations.flatMap((op) => [0x1a, op.length, ...op]))
      .innerWrites;
  assertEquals(writes(), false);
  assertEquals(writes([], [0x1a, 2, 1, 2]), false);
  assertEquals(writes([0x1a, 0], [0x0a, 0]), true);
  assertEquals(writes([0x0a, 0], [0x1a, 0]), true);
  assertEquals(writes([0x82, 0x01, 0]), true, "an unknown variant");
  assertEquals(writes([0x18, 1]), true, "no message");
});

Deno.test("[design 1.7d] the walk refuses a repeated routing id", () => {
  refusesPayload(PROJECT, "second-routing", 0x08, 1, 0x08, 1);
  refusesPayload(PROJECT, "second-routing", 0x08, 0, 0x12, 0, 0x08, 2);
});

Deno.test("[design 1.7d] the walk refuses a repeated peer, and repeated fields within it", () => {
  refusesPayload(FOLLOW, "second-routing", 0x1a, 0, 0x1a, 0);
  refusesPayload(FOLLOW, "second-routing", 0x1a, 4, 8, 1, 8, 2);
  refusesPayload(FOLLOW, "second-routing", 0x1a, 4, 16, 1, 16, 2);
});

Deno.test("[design 1.7d] the walk refuses a second variant, the same or another", () => {
  refusesPayload(LSP_QUERY, "second-variant", 0x2a, 0, 0x22, 0);
  refusesPayload(LSP_QUERY, "second-variant", 0x2a, 0, 0x2a, 0);
  refusesPayload(UPDATE_BUFFER, "second-variant", 0x1a, 4, 0x1a, 0, 0x0a, 0);
  refusesPayload(UPDATE_BUFFER, "second-variant", 0x1a, 4, 0x1a, 0, 0x1a, 0);
});

Deno.test("[design 1.7d] the walk refuses routing fields of another wire type", () => {
  refusesPayload(PROJECT, "wire-type", 0x0a, 1, 1);
  refusesPayload(PROJECT, "wire-type", 0x0d, 1, 2, 3, 4);
  refusesPayload(FOLLOW, "wire-type", 0x18, 1);
  refusesPayload(FOLLOW, "wire-type", 0x1a, 2, 0x0a, 0);
  refusesPayload(FOLLOW, "varint", 0x1a, 6, 8, 0xff, 0xff, 0xff, 0xff, 0x10);
  refusesPayload(UPDATE_BUFFER, "wire-type", 0x18, 1);
});

Deno.test("[design 1.7d] the walk refuses groups and field 0 in payload, operations and peers", () => {
  for (const spec of [PROJECT, FOLLOW, UPDATE_BUFFER]) {
    refusesPayload(spec, "group", 0x23, 0x24);
    refusesPayload(spec, "field-zero", 0x00, 1);
    refusesPayload(spec, "field-zero", 0x02, 0);
  }
  for (const spec of [FOLLOW, UPDATE_BUFFER]) {
    refusesPayload(spec, "group", 0x1a, 2, 0x23, 0x24);
    refusesPayload(spec, "field-zero", 0x1a, 2, 0x02, 0);
  }
});

Deno.test("[design 1.7e] the payload's walk ends exactly at its end", () => {
  const fields = [[0x08], [0x08, 0x80], [0x22, 2, 1], [0x25, 1, 2, 3], [0xa2]];
  for (const field of fields) refusesPayload(UPDATE_BUFFER, "truncated", ...field);
  for (const spec of [FOLLOW, UPDATE_BUFFER]) {
    refusesPayload(spec, "truncated", 0x1a, 2, 0x22, 1);
    refusesPayload(spec, "truncated", 0x1a, 1, 0x08);
  }
  // A number that ends only behind the payload, inside the envelope.
  const view = walked(0x22, 2, 0x08, 0x80, 0x08, 1);
  assertThrows(() => walkPayload(view, PROJECT, new Routing()), EnvelopeError);
});

Deno.test("[design 1.7d] an earlier walk leaves nothing in the routing", () => {
  const routing = routed(UPDATE_BUFFER, 8, 9, 0x1a, 2, 0x0a, 0);
  walkPayload(walked(0x22, 0), { ...FOLLOW, first: 5, last: 6 }, routing);
  assertEquals({ ...routing }, { ...new Routing(), id: 0 });
});

Deno.test("[transport 1.6.4] a client reads by protobuf's rules: the last number, merged payloads", () => {
  const first = [0x08, 1, 0x1a, 4, 8, 1, 16, 2, 0x22, 2, 1, 2];
  const merged = decodeEnvelope(
    Uint8Array.from([...first, 0x08, 0, 0x10, 0, 0x1a, 2, 16, 0, 0x22, 1, 3]),
  );
  assertEquals(merged, {
    id: 0,
    respondingTo: 0,
    originalSenderId: { ownerId: 1, id: 0 },
    tag: 4,
    payload: Uint8Array.of(1, 2, 3),
  });
  const replaced = decodeEnvelope(Uint8Array.from([...first, 0x2a, 1, 9]));
  assertEquals([replaced.tag, replaced.payload], [5, Uint8Array.of(9)]);
  assertEquals(decodeEnvelope(new Uint8Array(0)), { id: 0, tag: 0, payload: new Uint8Array(0) });
});

Deno.test("[transport 1.6.5] a client skips unknown fields and refuses what it cannot read", () => {
  assertEquals(decodeEnvelope(Uint8Array.of(0xd0, 0x10, 9, 0xa5, 0x06, 1, 2, 3, 4, 8, 3)).id, 3);
  const beside = decodeEnvelope(Uint8Array.of(0x22, 1, 7, 0xfa, 0x7f, 1, 9));
  assertEquals([beside.tag, beside.payload], [4, Uint8Array.of(7)]);
  for (const bytes of [[0x08], [0x22, 2, 1], [0x0a, 0], [0x23, 0x24], [0x00, 1], [0x25, 1]]) {
    assertThrows(() => decodeEnvelope(Uint8Array.from(bytes)), EnvelopeError);
  }
});

/** Envelopes of fields that are right, nearly right or wrong, so that walks get far. */
const envelopes = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom(0x08, 0x10, 0x18, 0x20), fc.nat(127)),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => [0x22, bytes.length, ...bytes]),
    fc.constant([0x22, 8, 0x08, 0x85, 0x01, 0x1a, 2, 0x1a, 0, 0x10]),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => [...bytes]),
  ),
  { maxLength: 5 },
).map((parts) => Uint8Array.from(parts.flat()));

Deno.test("[design 1.7e] whatever the bytes are, a walk ends or throws an EnvelopeError", () => {
  fc.assert(
    fc.property(fc.oneof(envelopes, fc.uint8Array({ maxLength: 60 })), (plain) => {
      for (const spec of [PROJECT, FOLLOW, UPDATE_BUFFER, LSP_QUERY]) {
        const view = new EnvelopeView();
        try {
          walkEnvelope(plain, view);
          walkPayload(view, spec, new Routing());
        } catch (error) {
          if (!(error instanceof EnvelopeError)) throw error;
        }
      }
      try {
        decodeEnvelope(plain);
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("[design 1.7c] what a walk accepts, a decoder reads as the walk did", () => {
  let accepted = 0;
  fc.assert(
    fc.property(envelopes, (plain) => {
      const view = new EnvelopeView();
      try {
        walkEnvelope(plain, view);
      } catch {
        return;
      }
      accepted++;
      const decoded = decodeEnvelope(plain);
      assertEquals(view.id, decoded.id);
      assertEquals(view.respondingTo, decoded.respondingTo ?? -1);
      assertEquals(view.tag, decoded.tag);
      assertEquals(plain.subarray(view.payloadStart, view.payloadEnd), decoded.payload);
      if (decoded.originalSenderId !== undefined) assertEquals(view.verbatim, false);
    }),
    { numRuns: 5000 },
  );
  assert(accepted > 500, `${accepted} accepted`);
});

Deno.test("[design 1.7d] what a payload's walk accepts, a decoder reads as the walk did", () => {
  const random = new RandomSource(11);
  const update = () =>
    encode("UpdateBuffer", {
      projectId: BigInt(random.int(1000)),
      bufferId: BigInt(random.int(1000)),
      operations: Array.from({ length: random.int(3) }, () =>
        random.chance(0.7)
          ? { updateSelections: { replicaId: random.int(9) } }
          : { edit: { replicaId: random.int(9), newText: ["x"] } }),
    });
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const payload = [...update()];
    for (let change = random.int(3); change > 0 && payload.length > 0; change--) {
      payload[random.int(payload.length)] = random.int(random.chance(0.5) ? 32 : 256);
    }
    let routing: Routing;
    let decoded;
    try {
      routing = routed(UPDATE_BUFFER, ...payload);
      decoded = decode("UpdateBuffer", Uint8Array.from(payload));
    } catch {
      continue;
    }
    accepted++;
    const id = decoded.projectId;
    assertEquals(routing.id, id > BigInt(Number.MAX_SAFE_INTEGER) ? -2 : Number(id));
    const writes = decoded.operations.some((operation) =>
      Object.entries(operation).some(([name, value]) =>
        value !== undefined && name !== "updateSelections"
      )
    );
    assert(routing.innerWrites || !writes, `a write was taken for reading: ${payload}`);
  }
  assert(accepted > 2000, `${accepted} accepted`);
});
