import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
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
