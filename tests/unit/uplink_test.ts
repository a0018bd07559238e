import { assertEquals } from "@std/assert";
import { Uplink } from "../../cli/bridge/uplink.ts";
import { FileOutbox } from "../../client/agent_outbox_file.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { created, plan, uuid } from "../support/agents.ts";

const THREAD = uuid("thread");

Deno.test("[agents 4e] what cannot be kept is told as lost by the next event of its thread that can", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-uplink-" });
  try {
    const said: string[] = [];
    {
      await using uplink = new Uplink({
        folder,
        name: "laptop",
        // Nobody is there: everything waits.
        client: {
          serverUrl: "http://127.0.0.1:1",
          transport: denoTransport,
          credentials: { userId: 1, token: "t" },
        },
        onCommand: () => Promise.resolve(),
        log: (text) => void said.push(text),
      });
      uplink.publish(created(THREAD));
      // An event may have 256 KiB, and of a plan nothing may be cut.
      const tooLarge = plan(THREAD, "x".repeat(300_000));
      uplink.publish(tooLarge);
      uplink.publish(tooLarge);
      uplink.publish(plan(uuid("other"), "elsewhere"));
      uplink.publish(plan(THREAD, "behind"));
      uplink.publish(plan(THREAD, "behind that"));
    }
    assertEquals(said.filter((text) => text.startsWith("An event is lost")).length, 2);
    using outbox = FileOutbox.open(`${folder}/hosts/1/outbox`);
    const told = outbox.load().events.map(({ threadId, eventsLost, planUpdated }) => [
      threadId === THREAD,
      eventsLost?.count ?? planUpdated?.entries?.[0]?.content,
    ]);
    assertEquals(told, [
      [true, undefined],
      [true, 1n],
      [false, "elsewhere"],
      [true, 1n],
      [true, "behind"],
      [true, "behind that"],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
