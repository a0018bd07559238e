/**
 * One long evening: everything that two people do in a call, and the same again after every way in
 * which a network or a server fails. The server is a process of its own.
 *
 * Times of the protocol are shortened; `PARLEY_REAL_TIME=1` runs it with the real ones (3 minutes).
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ServerProcess } from "../fault/server_process.ts";
import { addressOf, Evening, type Person } from "../support/evening.ts";
import { printedRandom } from "../support/random.ts";
import { waitUntil } from "../support/wait_until.ts";

const SCALE = Deno.env.get("PARLEY_REAL_TIME") === undefined ? 0.5 : 1;

/** An outage of so many milliseconds of the protocol's time. */
async function pass(ms: number): Promise<void> {
  const end = performance.now() + ms * SCALE;
  await waitUntil(() => performance.now() >= end, {
    timeoutMs: 2 * ms,
    describe: "the outage's end",
  });
}

Deno.test("[design 6a, 6d] [projects 9.5] one long evening, in a call over a network that breaks", async (t) => {
  const flags = ["--time-scale", String(SCALE)];
  await using server = await ServerProcess.prepare(["host", "guest"], { flags });
  await server.start();
  await using evening = await Evening.begin(server, {
    scale: SCALE,
    random: printedRandom("evening"),
  });
  const { host, guest } = evening;

  const again = async (
    name: string,
    people: readonly Person[],
    breakNetwork: () => Promise<void> | void,
  ) => {
    await t.step(name, async () => {
      const lost = people.map(({ client }) => client.peer.closed);
      await evening.typeThrough(async () => {
        await breakNetwork();
        await Promise.all(lost);
      }, async () => {
        for (const { relay } of people) relay.heal();
        await Promise.all(people.map((person) => person.comeBack()));
      });
      await evening.work();
    });
  };

  await t.step("they meet, call and work", async () => {
    await evening.meet();
    await evening.call();
    await evening.work();
  });
  await again("the guest drops", [guest], () => guest.relay.cut());
  await again("the host drops", [host], () => host.relay.cut());
  await again("both drop at once", [host, guest], () => {
    for (const { relay } of [host, guest]) relay.cut();
  });
  await again("the guest cannot connect for a while", [guest], async () => {
    guest.relay.refuse();
    await pass(5_000);
  });
  await again("the host's last messages get lost", [host], () => {
    host.relay.loseSent();
    evening.typeInVain();
  });
  await again("the guest's connection falls silent", [guest], () => guest.relay.silence());
  await again("the host's connection falls silent", [host], () => host.relay.silence());
  await again("both fall silent", [host, guest], () => {
    for (const { relay } of [host, guest]) relay.silence();
  });
  await again("the server is killed, and there is none for 2 s", [host, guest], async () => {
    await server.kill();
    await pass(2_000);
    await server.start();
    for (const { relay } of [host, guest]) relay.target = addressOf(server);
  });

  await t.step("the guest is away for 35 s: the seat is gone, and he is called again", async () => {
    guest.relay.refuse();
    evening.typeInVain();
    await pass(35_000);
    guest.relay.heal();
    await guest.comeBack();
    assertMatch(await guest.room.left, /RejoinRoom failed/);
    assertEquals(host.room.participants.map(({ userId }) => userId), [host.client.userId]);
    await evening.callGuest();
    await evening.work();
  });
  await t.step(
    "the host is away for 35 s: the project is over, and a new call begins",
    async () => {
      host.relay.refuse();
      assertEquals(await evening.joined.closed, "the host has ended it");
      await guest.room.leave();
      host.relay.heal();
      await host.comeBack();
      assertMatch(await host.room.left, /RejoinRoom failed/);
      await evening.call();
      await evening.work();
    },
  );
  await t.step("they end it", async () => {
    await evening.end();
  });
});
