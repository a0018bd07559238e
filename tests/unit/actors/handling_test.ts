/** How long messages took, as the log tells it. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
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

Deno.test("[rooms 6.6] one-way messages that change nothing are answered with nothing, and logged", async () => {
  await using world = await World.start();
  const { roomId, projectId, clients: [host, guest] } = await world.share("host", "guest");
  world.log.tellsDebug = true;
  const { address } = guest!.connection;
  host!.take();
  guest!.take();
  const refused = [
    ["DeclineCall", { roomId }, /nobody calls you/],
    ["DeclineCall", { roomId: 99n }, /no such room/],
    ["Unfollow", { roomId, projectId }, /invalid leader/],
    ["UpdateFollowers", { roomId, projectId: 99n }, /no such project/],
    ["UpdateFollowers", { roomId: 99n }, /no such room/],
    ["UnshareProject", { projectId }, /not hosted by this connection/],
    ["LeaveProject", { projectId: 99n }, /no such project/],
    ["UpdateDiagnosticSummary", { projectId }, /not hosted by this connection/],
    ["BufferSaved", { projectId }, /not hosted by this connection/],
    ["CreateBufferForPeer", { projectId }, /not hosted by this connection/],
  ] as const;
  for (const [message, value, text] of refused) {
    world.log.details.length = 0;
    guest!.send(message, value);
    await world.settle();
    const told = world.log.details.filter(({ error }) => error !== undefined);
    assertEquals(told.map((one) => [one.address, one.message]), [[address, message]], message);
    assertMatch(String(told[0]?.error), text);
  }
  assertEquals([host!.take(), guest!.take()], [[], []]);
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
