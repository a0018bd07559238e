import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { ConnectError } from "../../../client/errors.ts";
import type { HttpRequest } from "../../../client/http/http_client.ts";
import { connectionEvents } from "../../../client/telemetry/connection_events.ts";
import { telemetryEndpoint } from "../../../client/telemetry/endpoint.ts";
import {
  Telemetry,
  type TelemetryAccount,
  type TelemetryEvent,
} from "../../../client/telemetry/telemetry.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function collector(isOn = true) {
  const clock = new FakeClock();
  const batches: (readonly [readonly TelemetryEvent[], TelemetryAccount | undefined])[] = [];
  const warnings: string[] = [];
  const telemetry = new Telemetry({
    sink: (...batch) => void batches.push(batch),
    isOn,
    clock,
    warn: (text) => void warnings.push(text),
  });
  return { clock, batches, warnings, telemetry };
}

Deno.test("[issue 7 telemetry] nothing is collected unless it is on, and off drops what waits", async () => {
  const { clock, batches, telemetry } = collector(false);
  telemetry.event("A");
  await telemetry.flush();
  assertEquals([batches.length, clock.timers], [0, 0]);
  telemetry.isOn = true;
  telemetry.event("B");
  telemetry.isOn = false;
  assertEquals(clock.timers, 0);
  await telemetry.flush();
  assertEquals(batches, []);
});

Deno.test("[issue 7 telemetry] 50 events go at once, fewer after five minutes", async () => {
  const { clock, batches, telemetry } = collector();
  for (let at = 0; at < 51; at++) telemetry.event("A", { at });
  await clock.advanceAsync(0);
  assertEquals(batches.map(([events]) => events.length), [50]);
  await clock.advanceAsync(299_999);
  assertEquals(batches.length, 1);
  await clock.advanceAsync(1);
  assertEquals(batches[1]?.[0].map(({ properties }) => properties), [{ at: 50 }]);
});

Deno.test("[issue 7 telemetry] [transport 3.1] a sign-out clears the account; what came before goes under its name", async () => {
  const { batches, telemetry } = collector();
  const account = { metricsId: "m", isStaff: false };
  telemetry.signedIn(account);
  telemetry.event("A");
  connectionEvents(telemetry)({ name: "SignedOut" });
  telemetry.event("B");
  await telemetry.flush();
  assertEquals(
    batches.map(([events, account]) => [
      events.map(({ type, isSignedIn }) => [type, isSignedIn]),
      account,
    ]),
    [[[["A", true]], account], [[["B", false]], undefined]],
  );
});

Deno.test("[issue 7 telemetry] a connection tells how long it took, why it failed and that it was lost", async () => {
  const { clock, batches, telemetry } = collector();
  const tell = connectionEvents(telemetry);
  tell({ name: "Connecting" });
  clock.advance(120);
  tell({ name: "Connected", peerId: { ownerId: 1, id: 2 }, connectionId: 0 });
  tell({ name: "ConnectionLost", reason: "of /home/ada" });
  tell({ name: "Reconnecting" });
  tell({
    name: "ReconnectionError",
    error: new ConnectError("secret text"),
    nextReconnection: 0,
  });
  await telemetry.flush();
  assertEquals(batches[0]?.[0].map(({ type, properties }) => [type, properties]), [
    ["Client Connected", { again: false, milliseconds: 120 }],
    ["Client Connection Lost", {}],
    ["Client Failed", { in: "ReconnectionError", error: "ConnectError" }],
  ]);
});

Deno.test("[transport 7.4.1] [issue 7 telemetry] events are posted as editors post them, with the checksum of the seed", async () => {
  const asked: { url: string; request: HttpRequest }[] = [];
  let status = 200;
  const http = {
    request: (url: string, request: HttpRequest = {}) => {
      asked.push({ url, request });
      return Promise.resolve(new Response(null, { status }));
    },
    close() {},
  };
  const clock = new FakeClock();
  const warnings: string[] = [];
  const make = (checksumSeed?: string) =>
    new Telemetry({
      sink: telemetryEndpoint({
        ...{ serverUrl: "https://h", http, appVersion: "1.0.0", osName: "Linux" },
        ...{ architecture: "x86_64", systemId: "s", checksumSeed },
      }),
      isOn: true,
      clock,
      warn: (text) => void warnings.push(text),
    });
  const telemetry = make("seed");
  telemetry.signedIn({ metricsId: "m", isStaff: true });
  telemetry.event("A", { n: 1 });
  clock.advance(40);
  telemetry.event("B");
  await telemetry.flush();
  const [{ url, request } = { url: "", request: {} }] = asked;
  assertEquals([url, request.method], ["https://h/telemetry/events?", "POST"]);
  const body = request.body as string;
  assertEquals(request.headers, {
    "content-type": "application/json",
    "x-zed-checksum": createHash("sha256").update(`seed${body}seed`).digest("hex"),
  });
  const flexible = { signed_in: true, type: "Flexible" };
  assertEquals(JSON.parse(body), {
    ...{ system_id: "s", metrics_id: "m", is_staff: true, app_version: "1.0.0" },
    ...{ os_name: "Linux", architecture: "x86_64" },
    events: [
      {
        ...flexible,
        milliseconds_since_first_event: 0,
        event_type: "A",
        event_properties: { n: 1 },
      },
      { ...flexible, milliseconds_since_first_event: 40, event_type: "B", event_properties: {} },
    ],
  });
  // Anything but 200 is told, and the events are dropped.
  status = 204;
  telemetry.event("C");
  await telemetry.flush();
  assertStringIncludes(
    warnings[0] as string,
    "1 events of telemetry: https://h/telemetry/events? answers 204",
  );
  await telemetry.flush();
  assertEquals(asked.length, 2);
  const unsigned = make();
  unsigned.event("D");
  await unsigned.flush();
  assertEquals(asked[2]?.request.headers?.["x-zed-checksum"], "");
});
