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
