/** How long messages took, as the log tells it. */
import { assertEquals, assertThrows } from "@std/assert";
import { Handling } from "../../../actors/handling.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeLog } from "./fake_system.ts";
import { World } from "./world.ts";

Deno.test("[rooms 5.8] at debug level each message tells how long it waited and worked, and how long another client took", async () => {
  await using world = await World.start();
  const { projectId, clients: [host, guest] } = await world.share("host", "guest");
  world.log.tellsDebug = true;
  world.log.details.length = 0;
  const address = guest!.connection.address;
  guest!.send("GetHover", { projectId });
  guest!.send("UpdateBuffer", { projectId, bufferId: 1n });
  guest!.send("Ping", {});
  assertEquals(
    world.log.details,
    ["GetHover", "UpdateBuffer", "Ping"].map((message) => ({
      address,
      message,
      totalMs: 0,
      queueMs: 0,
      processingMs: 0,
    })),
  );
  world.log.details.length = 0;
  await world.settle();
  world.clock.advance(250);
  host!.send("GetHoverResponse", {}, host!.find("GetHover").id);
  host!.send("Ack", {}, host!.find("UpdateBuffer").id);
  assertEquals(world.log.details, [
    { address, message: "GetHover", hostMs: 250, running: 1 },
    { address, message: "UpdateBuffer", hostMs: 250, running: 0 },
  ]);
  world.log.tellsDebug = false;
  world.log.details.length = 0;
  guest!.send("Ping", {});
  assertEquals(world.log.details, []);
});

Deno.test("[rooms 5.8] what waits for its actor is told as waiting, what it takes then as work, even when it fails", () => {
  const clock = new FakeClock();
  const log = new FakeLog();
  const handling = new Handling({ clock, log }, "/connections/1.2", "ShareProject");
  clock.advance(40);
  assertThrows(() =>
    handling.run(() => {
      clock.advance(5);
      throw new Error("no");
    })
  );
  assertEquals(log.details, [{
    address: "/connections/1.2",
    message: "ShareProject",
    totalMs: 45,
    queueMs: 40,
    processingMs: 5,
  }]);
});
