import { assertEquals } from "@std/assert";
import { Notices } from "../../../client/connection/notices.ts";
import { UnauthorizedError } from "../../../client/errors.ts";
import type { Transport } from "../../../client/transport.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { MemorySocket } from "../../support/memory_socket.ts";

/** A server whose handshakes end as the test says. */
class Stage {
  readonly clock = new FakeClock();
  readonly handshakes: { readonly url: string; readonly headers: Record<string, string> }[] = [];
  readonly sockets: MemorySocket[] = [];
  readonly warnings: string[] = [];
  refusal: Error | undefined;
  updates = 0;

  readonly transport: Transport = {
    connect: (url, headers) => {
      this.handshakes.push({ url: url.href, headers: { ...headers } });
      if (this.refusal !== undefined) return Promise.reject(this.refusal);
      const [near, far] = MemorySocket.pair();
      this.sockets.push(far);
      return Promise.resolve(near);
    },
  };
  readonly notices = new Notices({
    serverUrl: () => "https://h/zed",
    credentials: () => ({ userId: 7, token: "t" }),
    transport: this.transport,
    clock: this.clock,
    random: () => 0.5,
    warn: (text) => void this.warnings.push(text),
    userUpdated: () => void this.updates++,
  });

  /** Milliseconds until the next attempt, which then is made. */
  async untilNext(): Promise<number> {
    const begin = this.clock.now();
    const before = this.handshakes.length;
    await this.clock.advanceAsync(this.clock.nextDue! - begin);
    await this.clock.advanceAsync(0);
    assertEquals(this.handshakes.length, before + 1);
    return this.clock.now() - begin;
  }
}

Deno.test("[transport 3.7.5] failures wait 0.5 s doubled up to 30 s and up to as much again; a clean end begins anew", async () => {
  const stage = new Stage();
  stage.refusal = new Error("Not there");
  stage.notices.start();
  stage.notices.start();
  await stage.clock.advanceAsync(0);
  assertEquals(stage.handshakes.length, 1, "one at a time");
  const waits: number[] = [];
  for (let at = 0; at < 8; at++) waits.push(await stage.untilNext());
  assertEquals(waits, [750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000]);
  stage.refusal = undefined;
  assertEquals(await stage.untilNext(), 45_000);
  assertEquals(stage.clock.timers, 0, "no limit while it is open");
  stage.sockets[0]!.close();
  await stage.clock.advanceAsync(0);
  assertEquals(await stage.untilNext(), 750);
  stage.refusal = new Error("Not there");
  stage.sockets[1]!.close();
  await stage.clock.advanceAsync(0);
  assertEquals(await stage.untilNext(), 750);
  assertEquals(await stage.untilNext(), 1500);
  await stage.notices.stop();
  assertEquals(stage.clock.timers, 0);
});

Deno.test("[issue 7 notices] a refused handshake is a failure like any other", async () => {
  const stage = new Stage();
  stage.refusal = new UnauthorizedError("401");
  stage.notices.start();
  await stage.clock.advanceAsync(0);
  assertEquals(await stage.untilNext(), 750);
  assertEquals(stage.warnings, Array(2).fill("Cannot listen for notices: 401"));
  await stage.notices.stop();
});

Deno.test("[issue 7 notices] the account is loaded at UserUpdated in both forms; all else is skipped", async () => {
  const stage = new Stage();
  stage.notices.start();
  await stage.clock.advanceAsync(0);
  assertEquals(stage.handshakes, [{
    url: "wss://h/zed/client/users/connect",
    headers: { "authorization": "7 t", "x-zed-protocol-version": "0" },
  }]);
  const [socket] = stage.sockets;
  const text = Uint8Array.fromHex("6b5573657255706461746564");
  const map = new Uint8Array([0xa1, ...text, 0xf6]);
  for (const frame of [text, map]) socket!.send(frame);
  await stage.clock.advanceAsync(0);
  assertEquals(stage.updates, 2);
  for (const frame of [new Uint8Array(), text.subarray(1), new Uint8Array([0xff])]) {
    socket!.send(frame);
  }
  await stage.clock.advanceAsync(0);
  assertEquals([stage.updates, stage.warnings.length], [2, 3]);
  await stage.notices.stop();
  assertEquals(socket!.isClosed, true);
});
