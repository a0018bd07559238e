import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { TelemetryFiles } from "../../../http/client_api/telemetry_files.ts";
import { createLog } from "../../../lib/log.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { statusOf, withHttp } from "../../support/http.ts";

const SEED = "seed";
const KINDS = ["events", "crashes", "panics", "hangs"];

function checksum(body: string, seed = SEED): string {
  return createHash("sha256").update(seed + body + seed).digest("hex");
}

Deno.test("[transport 7.4.1, 7.4.2, 7.4.4] telemetry is taken and answered with nothing", async () => {
  await withHttp([], async ({ ask }) => {
    for (const kind of KINDS) {
      const answer = await ask(`/telemetry/${kind}?`, {
        method: "POST",
        headers: { "x-zed-checksum": "", "content-type": "application/json" },
        body: { events: [], text: "x".repeat(1_000_000) },
      });
      assertEquals([answer.status, await answer.text()], [200, ""], kind);
    }
  });
});

Deno.test("[transport 7.4.1] with a seed the checksum decides for panics and hangs", async () => {
  await withHttp(["--client-checksum-seed", SEED], async ({ ask }) => {
    const body = '{"panic":{"text":"é"}}';
    const send = (kind: string, given: string | undefined) =>
      statusOf(ask(`/telemetry/${kind}`, {
        method: "POST",
        body,
        ...(given !== undefined && { headers: { "x-zed-checksum": given } }),
      }));
    const wrong = [undefined, "", "x", checksum(body, "other"), checksum("{}"), "0".repeat(64)];
    for (const kind of ["panics", "hangs"]) {
      assertEquals(await send(kind, checksum(body)), 200, kind);
      for (const given of wrong) assertEquals(await send(kind, given), 400, `${kind} ${given}`);
    }
    for (const given of wrong) assertEquals(await send("events", given), 200, String(given));
    assertEquals(await send("crashes", undefined), 200);
  });
});

Deno.test("[transport 7.4.1, 7.4.2, 7.4.4] telemetry is kept where the operator has chosen so, what is forged is not", async () => {
  await withHttp(["--telemetry", "store", "--client-checksum-seed", SEED], async (http) => {
    const send = (kind: string, body: string | Uint8Array, given = "") =>
      statusOf(http.ask(`/telemetry/${kind}`, {
        method: "POST",
        body,
        headers: { "x-zed-checksum": given },
      }));
    const [events, hang] = ['{"events":[1]}', '{"hang":2}'];
    const crash = new Uint8Array([0, 255, 10, 123]);
    assertEquals(await send("events", events, checksum(events)), 200);
    assertEquals(await send("hangs", hang, checksum(hang)), 200);
    assertEquals(await send("crashes", crash), 200);
    // Neither of these.
    assertEquals(await send("events", events, checksum("other")), 200);
    assertEquals(await send("panics", hang, "wrong"), 400);
    const folder = `${http.server.dataDir}/telemetry`;
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assertEquals(names.length, 2);
    const lines = (await Deno.readTextFile(`${folder}/${names[0]}`)).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)).map(({ kind, body }) => [kind, body]), [
      ["events", { events: [1] }],
      ["hangs", { hang: 2 }],
    ]);
    assertEquals(await Deno.readFile(`${folder}/${names[1]}`), crash);
    assertEquals(Number((await Deno.stat(`${folder}/${names[1]}`)).mode) & 0o777, 0o600);
  });
});

Deno.test("[transport 7.4] of what is kept the oldest goes when it is too much or too old", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "parley-telemetry-" });
  try {
    const clock = new FakeClock();
    const folder = `${dataDir}/telemetry`;
    await Deno.mkdir(folder);
    const day = 24 * 60 * 60;
    const now = clock.now() / 1000;
    for (const [name, age] of [["ancient", 31], ["older", 3], ["newer", 2]] as const) {
      await Deno.writeFile(`${folder}/${name}`, new Uint8Array(100));
      await Deno.utime(`${folder}/${name}`, now - age * day, now - age * day);
    }
    const files = new TelemetryFiles({ dataDir, clock, log: createLog(), mostBytes: 250 });
    await files.keep("events", new TextEncoder().encode(JSON.stringify("x".repeat(90))));
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assertEquals(names.includes("newer"), true);
    assertEquals(names.filter((name) => ["ancient", "older"].includes(name)), []);
    assertEquals(names.length, 2);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
