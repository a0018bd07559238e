import { assert, assertEquals } from "@std/assert";
import { AgentHost } from "../../../client/agent_host.ts";
import { FileOutbox } from "../../../client/agent_outbox_file.ts";
import { foldWaiting, waiting } from "../../../client/agent_folding.ts";
import { completeEvent } from "../../../client/agent_events.ts";
import type { AgentEventInit } from "../../../client/agent_events.ts";
import { chunk, created, plan, uuid } from "../../support/agents.ts";

const THREAD = uuid("folding");
const OTHER = uuid("another");

function all(...events: readonly AgentEventInit[]) {
  return events.map((event) => waiting(completeEvent(event, 7)));
}

function sizeOf(events: ReturnType<typeof all>): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0);
}

const MESSAGE = [
  ...["a", "b", "c"].map((text) => chunk(THREAD, text, "m1")),
  { threadId: THREAD, messageChunk: { messageId: "m1", text: "hm", thought: true } },
];
const COMPLETED = { threadId: THREAD, messageCompleted: { messageId: "m1" } };

Deno.test("[agents 4e] chunks of finished messages are folded first, the oldest first, and nothing is lost", () => {
  const later = [
    ...["x", "y"].map((text) => chunk(THREAD, text, "m2")),
    { threadId: THREAD, messageCompleted: { messageId: "m2" } },
  ];
  const open = chunk(THREAD, "open", "m3");
  const events = all(created(THREAD), ...MESSAGE, plan(THREAD, "p"), COMPLETED, ...later, open);
  const { events: folded, lost } = foldWaiting(events, sizeOf(events) - 1, 7);
  assertEquals(lost, 0);
  assertEquals(folded.map(({ event }) => event).slice(2), [
    {
      ...events[6]!.event,
      messageCompleted: { messageId: "m1", text: "abc", thought: "hm" },
    },
    ...events.slice(7).map(({ event }) => event),
  ]);
  assertEquals(folded.slice(0, 2).map(({ event }) => event.eventId), [
    events[0]!.event.eventId,
    events[5]!.event.eventId,
  ]);
});

Deno.test("[agents 4e] what is given up is told by an event of its thread, which keeps its beginning", () => {
  const events = all(
    created(THREAD),
    created(OTHER),
    ...Array.from({ length: 50 }, (_, at) => plan(THREAD, `entry ${at} ${"x".repeat(200)}`)),
    plan(OTHER, "kept"),
  );
  const most = sizeOf(events) / 2;
  const { events: kept, lost } = foldWaiting(events, most, 7);
  assert(sizeOf([...kept]) <= most, "it is still too much");
  assertEquals(kept[0]!.event, events[0]!.event);
  assertEquals(kept[1]!.event, events[1]!.event);
  const told = kept[2]!.event;
  assertEquals([told.threadId, told.eventsLost?.count], [THREAD, BigInt(lost)]);
  assertEquals(kept.slice(3), events.slice(2 + lost));
  // What is given up another time is added to it.
  const again = foldWaiting(kept, most / 2, 8);
  assertEquals(again.events[2]!.event.eventsLost?.count, BigInt(lost + again.lost));
  assertEquals(again.events.filter(({ event }) => event.eventsLost !== undefined).length, 1);
});

Deno.test("[agents 4e] an outbox has its bound on the disk too, and a restart finds what is left", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-folding-" });
  try {
    const path = `${folder}/outbox`;
    const room = 20_000;
    let lost = 0;
    {
      using outbox = FileOutbox.open(path);
      const onLost = (count: number) => void (lost += count);
      const host = new AgentHost({ hostId: uuid("host"), name: "h", outbox, room, onLost });
      host.publish(created(THREAD));
      for (let at = 0; at < 500; at++) host.publish(plan(THREAD, `entry ${at}`));
      assert(host.waiting + lost >= 501, "events are missing");
      await outbox.synced();
      assert((await Deno.stat(path)).size < room * 1.5, "the file is too large");
    }
    using outbox = FileOutbox.open(path);
    const { events } = outbox.load();
    assertEquals(events[0]?.threadCreated?.title, "A thread");
    assertEquals(events[1]?.eventsLost?.count, BigInt(lost));
    assertEquals(events.slice(2).map(({ planUpdated }) => planUpdated?.entries?.[0]?.content), [
      ...Array.from({ length: 500 - lost }, (_, at) => `entry ${lost + at}`),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
