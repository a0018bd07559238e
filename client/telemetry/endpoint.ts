/** Sends telemetry as editors do: `POST /telemetry/events`. [transport 7.4.1] */
import { serviceUrl } from "../http/base_urls.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { TelemetrySink } from "./telemetry.ts";

/** Milliseconds that a server has to answer. */
const PATIENCE = 10_000;

/** What stands in every batch. */
export interface TelemetryEndpointOptions {
  readonly serverUrl: string;
  readonly http: HttpClient;
  readonly appVersion: string;
  readonly osName: string;
  readonly architecture: string;
  readonly osVersion?: string | undefined;
  readonly releaseChannel?: string | undefined;
  readonly systemId?: string | undefined;
  readonly installationId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Shared with the server; without it the checksum is empty. */
  readonly checksumSeed?: string | undefined;
}

/** A sink that posts; it throws for any answer but 200. No login goes with it. */
export function telemetryEndpoint(options: TelemetryEndpointOptions): TelemetrySink {
  const url = serviceUrl(options.serverUrl, "api", "/telemetry/events", {});
  let first: number | undefined;
  return async (events, account) => {
    first ??= events[0]?.time ?? 0;
    const begin = first;
    const body = JSON.stringify({
      system_id: options.systemId,
      installation_id: options.installationId,
      session_id: options.sessionId,
      metrics_id: account?.metricsId,
      is_staff: account?.isStaff,
      app_version: options.appVersion,
      os_name: options.osName,
      os_version: options.osVersion,
      architecture: options.architecture,
      release_channel: options.releaseChannel,
      events: events.map(({ type, properties, time, isSignedIn }) => ({
        signed_in: isSignedIn,
        milliseconds_since_first_event: time - begin,
        type: "Flexible",
        event_type: type,
        event_properties: properties,
      })),
    });
    const response = await options.http.request(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-zed-checksum": await checksum(options.checksumSeed, body),
      },
      body,
      signal: AbortSignal.timeout(PATIENCE),
    });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  };
}

/** Hex of SHA-256 over seed, body, seed; empty without a seed. */
async function checksum(seed: string | undefined, body: string): Promise<string> {
  if (seed === undefined) return "";
  const bytes = new TextEncoder().encode(seed + body + seed);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
