import { assert, assertEquals, assertThrows } from "@std/assert";
import { completeEvent, MAX_EVENT_BYTES } from "../../../client/agent_events.ts";
import { FileOutbox } from "../../../client/agent_outbox_file.ts";
import { encode } from "../../../proto/mod.ts";
import { created, plan, uuid } from "../../support/agents.ts";

const THREAD = uuid("thread");

Deno.test("[agents R2] what was added to an outbox is there after a crash, without what was numbered", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-outbox-" });
  try {
    const path = `${folder}/outbox`;
    const events = Array.from({ length: 10 }, (_, i) => completeEvent(plan(THREAD, `${i}`), 5));
    {
      using outbox = FileOutbox.open(path);
      for (const event of events) outbox.add(event);
      outbox.remove(4);
      outbox.noteCommand("c1");
    }
    // A record that a crash has cut off was never added.
    await Deno.writeFile(path, new Uint8Array([1, 0, 0, 9, 9, 1]), { append: true });
    {
      using outbox = FileOutbox.open(path);
      const { events: kept, commandIds } = outbox.load();
      assertEquals(kept.map(({ eventId }) => eventId), events.slice(4).map((one) => one.eventId));
      assertEquals(kept[0]?.planUpdated?.entries?.[0]?.content, "4");
      assertEquals(commandIds, ["c1"]);
      outbox.add(completeEvent(created(THREAD), 6));
      outbox.remove(7);
      assertEquals(outbox.load().events, []);
    }
    using outbox = FileOutbox.open(path);
    assertEquals(outbox.load(), { events: [], commandIds: ["c1"] });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[agents R9] a tool's long result is cut with a mark and its length, anything else refused", () => {
  const result = "ü".repeat(300_000);
  const cut = completeEvent(
    { threadId: THREAD, toolUseCompleted: { toolUseId: "t", result, diff: "d" } },
    1,
  );
  const { toolUseCompleted } = cut;
  assert(encode("AgentEvent", cut).length <= MAX_EVENT_BYTES);
  assertEquals(toolUseCompleted?.fullLength, 600_001n);
  assertEquals(toolUseCompleted?.diff, "d");
  assert(toolUseCompleted?.result?.endsWith("[… cut, 600000 bytes in all]"));
  assertThrows(
    () => completeEvent({ threadId: THREAD, messageChunk: { text: result } }, 1),
    RangeError,
  );
});

Deno.test("[agents R2] an outbox that is damaged gives what can be read, and the rest is set aside", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-outbox-" });
  try {
    const path = `${folder}/outbox`;
    const events = Array.from({ length: 3 }, (_, i) => completeEvent(plan(THREAD, `${i}`), 5));
    {
      using outbox = FileOutbox.open(path);
      for (const event of events) outbox.add(event);
      assertEquals(outbox.damage, undefined);
    }
    const { size } = await Deno.stat(path);
    // What a power failure leaves behind; and a record that is none.
    for (const rest of [new Uint8Array(4_096), new Uint8Array([1, 0, 0, 0, 2, 0xff, 0xff])]) {
      await Deno.writeFile(path, rest, { append: true });
      using outbox = FileOutbox.open(path);
      assert(outbox.damage?.includes(`from byte ${size} on`), outbox.damage);
      const eventIds = outbox.load().events.map(({ eventId }) => eventId);
      assertEquals(eventIds, events.map(({ eventId }) => eventId));
      assertEquals((await Deno.stat(`${path}.damaged`)).size, size + rest.length);
    }
    using outbox = FileOutbox.open(path);
    assertEquals([outbox.damage, outbox.load().events.length], [undefined, 3]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name:
    "[agents R2] an outbox on a full disk refuses an event whole, and goes on when there is room" +
    (Deno.build.os === "windows" ? " (skipped: no limit of a file's size here)" : ""),
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "parley-outbox-" });
    try {
      const program = new URL("../../support/full_outbox.ts", import.meta.url).pathname;
      // A file may have 512 KiB: what does not fit is written in part, as on a full disk.
      const limited = 'trap "" XFSZ; ulimit -f 1024; exec "$@"';
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", limited, "sh", Deno.execPath(), "run", "-A", "--quiet", program, folder],
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assertEquals(code, 0, text(stderr));
      const { refused, kept, last } = JSON.parse(text(stdout));
      assert(refused.startsWith(`Cannot keep events in ${folder}/outbox: `), refused);
      using outbox = FileOutbox.open(`${folder}/outbox`);
      const { events, commandIds } = outbox.load();
      assertEquals(outbox.damage, undefined);
      assertEquals(events.map(({ eventId }) => eventId), [...kept, last]);
      assertEquals(commandIds, ["while it was full"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
