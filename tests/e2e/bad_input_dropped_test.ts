/** Bad input that ends its sender's connection, and nobody else notices. */
import { assert, assertEquals } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { encode, messageInfo } from "../../proto/mod.ts";
import type { DroppedReason } from "../../lib/metrics.ts";
import { message, payloadField } from "../../rpc/frame.ts";
import { Bystanders } from "../support/bystanders.ts";
import { Opcode } from "../support/raw_client.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const GIB = 1 << 30;
/** Content of one block. */
const BLOCK = 128 << 10;

const PING = messageInfo("Ping").tag as number;
const UPDATE_BUFFER = messageInfo("UpdateBuffer").tag as number;

function bytes(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** A whole message in one compressed frame. */
function frame(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return zstdCompressSync(bytes(...parts));
}

function ping(): Uint8Array {
  return frame([0x08, 1], payloadField(PING, new Uint8Array(0)));
}

/** A frame that says it holds a gibibyte, and has one block. */
function claimingGibibyte(): Uint8Array {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(GIB), true);
  return bytes(MAGIC, [0xe0], size, rleBlock(true));
}

/** A frame that says nothing of its size and holds a gibibyte of zeros. */
function growingToGibibyte(): Uint8Array {
  const blocks = GIB / BLOCK;
  const whole = new Uint8Array(6 + blocks * 4);
  whole.set([...MAGIC, 0x00, 0x58]);
  for (let index = 0; index < blocks; index++) {
    whole.set(rleBlock(index === blocks - 1), 6 + index * 4);
  }
  return whole;
}

function rleBlock(last: boolean): Uint8Array {
  const header = (BLOCK << 3) | (1 << 1) | (last ? 1 : 0);
  return new Uint8Array([header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff, 0]);
}

/** Asserts that such a message, from somebody in the room and the project, ends that one alone. */
async function assertDropped(
  bad: (scene: Bystanders) => Uint8Array,
  reason: DroppedReason,
): Promise<void> {
  await using scene = await Bystanders.open();
  const { sender, server } = scene;
  sender.sendBytes(bad(scene));
  // What comes behind it is not looked at any more.
  sender.send("UpdateBuffer", { projectId: scene.projectId, bufferId: 1n, operations: [] });
  await sender.closed;
  assertEquals(server.server.metrics.droppedConnections.value(reason), 1);
  assertEquals(server.server.actors.registry.connections.size, 2);
  await scene.assertUndisturbed();
  // It may come back at once.
  const back = await server.raw("c");
  assertEquals((await back.ask("RejoinRoom", { id: scene.roomId })).name, "RejoinRoomResponse");
}

Deno.test("[transport 1.6.4] [design 6c] bad input, dropped: an empty frame", async () => {
  await assertDropped(() => new Uint8Array(0), "bad_frame");
});

Deno.test("[transport 1.6.4] [design 6c] bad input, dropped: no zstd", async () => {
  await assertDropped(() => new TextEncoder().encode("GET / HTTP/1.1"), "bad_frame");
});

Deno.test("[transport 1.6.4, T3] [design 6c] bad input, dropped: zstd that is cut off", async () => {
  await assertDropped(() => ping().subarray(0, -2), "bad_frame");
});

Deno.test("[transport 1.6.4] [design 6c] bad input, dropped: something behind the last frame", async () => {
  await assertDropped(() => bytes(ping(), [0]), "bad_frame");
});

Deno.test("[design 3c, 6c] bad input, dropped: a skippable frame", async () => {
  await assertDropped(() => bytes([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7], ping()), "bad_frame");
});

Deno.test("[design 3c, 6c] bad input, dropped: a frame that claims a gibibyte", async () => {
  await assertDropped(claimingGibibyte, "too_large");
});

Deno.test("[design 3c, 6c] bad input, dropped: a frame that grows to a gibibyte", async () => {
  await assertDropped(growingToGibibyte, "too_large");
});

Deno.test("[transport 1.6.5] [design 6c] bad input, dropped: no protobuf", async () => {
  await assertDropped(() => frame([0xff, 0xff, 0xff, 0xff]), "bad_envelope");
});

Deno.test("[transport 1.6.5] [design 6c] bad input, dropped: a payload that is no message of its type", async () => {
  // A text where `GetUsers` has numbers, and an `UpdateParticipantLocation` that is cut off inside.
  await assertDropped(
    () => frame(payloadField(messageInfo("GetUsers").tag as number, bytes([0x09, 1, 2]))),
    "bad_envelope",
  );
  await assertDropped(
    ({ roomId }) =>
      frame(payloadField(
        messageInfo("UpdateParticipantLocation").tag as number,
        bytes([0x08, Number(roomId), 0x12, 0x02, 0x0a, 0x7f]),
      )),
    "bad_envelope",
  );
});

/** An update of the shared buffer, as it would go to everybody. */
function update({ projectId }: Bystanders): Uint8Array {
  const payload = encode("UpdateBuffer", { projectId, bufferId: 1n, operations: [] });
  return payloadField(UPDATE_BUFFER, payload);
}

Deno.test("[design 1.7c, 6c] bad input, dropped: two payloads", async () => {
  await assertDropped(
    (scene) => frame([0x08, 9], update(scene), payloadField(PING, new Uint8Array(0))),
    "bad_envelope",
  );
});

Deno.test("[design 1.7c, 6c] bad input, dropped: two ids, two response marks", async () => {
  await assertDropped((scene) => frame([0x08, 9, 0x08, 10], update(scene)), "bad_envelope");
  await assertDropped((scene) => frame([0x10, 9, 0x10, 10], update(scene)), "bad_envelope");
});

Deno.test("[design 1.7d, 6c] bad input, dropped: a routing field twice", async () => {
  await assertDropped(({ projectId }) => {
    const payload = encode("UpdateBuffer", { projectId: 99n, bufferId: 1n, operations: [] });
    return frame(payloadField(UPDATE_BUFFER, bytes(payload, [0x08, Number(projectId)])));
  }, "bad_envelope");
});

Deno.test("[design 1.7e, 6c] bad input, dropped: a last field that does not end", async () => {
  await assertDropped((scene) => frame(update(scene), [0xfa, 0x7f, 5, 1, 2]), "bad_envelope");
  await assertDropped((scene) => frame(update(scene), [0x80]), "bad_envelope");
});

Deno.test("[design 1.7c, 6c] bad input, dropped: groups, and field 0", async () => {
  await assertDropped((scene) => frame(update(scene), [0xfb, 0x7f, 0xfc, 0x7f]), "bad_envelope");
  await assertDropped((scene) => frame(update(scene), [0x00, 1]), "bad_envelope");
});

Deno.test("[transport 1.6.10] [design 6c] bad input, dropped: a message of 65 MiB, in one frame and in many", async () => {
  await using scene = await Bystanders.open();
  const { connections } = scene.server.server.actors.registry;
  for (const part of [65 << 20, 1 << 20]) {
    using client = await scene.raw("d");
    await client.readFrame();
    assertEquals(connections.size, 4);
    // The server may end the connection before it has been sent the whole.
    const writing = (async () => {
      for (let sent = 0; sent < 65 << 20; sent += part) {
        const opcode = sent === 0 ? Opcode.BINARY : Opcode.CONTINUATION;
        await client.frame(opcode, new Uint8Array(part), sent + part >= 65 << 20);
      }
    })().catch(() => {});
    await client.dropped();
    client.close();
    await writing;
    await scene.stage.quiet();
    assertEquals(connections.size, 3);
  }
  await scene.assertUndisturbed();
});

Deno.test("[transport 1.6.10] a message in many WebSocket frames, with pings between, is one message", async () => {
  await using scene = await Bystanders.open();
  using client = await scene.raw("d");
  const whole = message(5, -1, -1, 0, payloadField(PING, new Uint8Array(0)));
  for (let at = 0; at < whole.length; at++) {
    const last = at === whole.length - 1;
    const opcode = at === 0 ? Opcode.BINARY : Opcode.CONTINUATION;
    await client.frame(opcode, whole.subarray(at, at + 1), last);
    if (!last) await client.frame(Opcode.PING, new Uint8Array(0));
  }
  let binary = 0;
  while (binary < 4) {
    const got = await client.readFrame();
    assert(got !== undefined, "the connection has ended");
    if (got.opcode === Opcode.BINARY) binary++;
  }
});

const VIOLATIONS: readonly (readonly [string, readonly number[]])[] = [
  ["an unknown opcode", [0x83, 0x80, 0, 0, 0, 0]],
  ["a reserved bit", [0xc2, 0x80, 0, 0, 0, 0]],
  ["a ping in parts", [0x09, 0x80, 0, 0, 0, 0]],
  ["a text that is no UTF-8", [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]],
];

for (const [what, violation] of VIOLATIONS) {
  Deno.test(`[transport 1.6.9] [design 6c] bad input, dropped: ${what} of the WebSocket`, async () => {
    await using scene = await Bystanders.open();
    const { connections } = scene.server.server.actors.registry;
    using client = await scene.raw("d");
    await client.readFrame();
    await client.write(new Uint8Array(violation));
    await client.dropped();
    client.close();
    await scene.stage.quiet();
    assertEquals(connections.size, 3);
    await scene.assertUndisturbed();
  });
}
