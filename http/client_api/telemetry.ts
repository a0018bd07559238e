/**
 * Telemetry and crash reports of clients: accepted, so that nobody sends again, and forgotten unless
 * the operator has chosen to keep them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { dropBody, readBody } from "../body.ts";
import { plainText } from "../responses.ts";
import type { Exchange } from "../route.ts";

/** Bytes of one report; crash files of macOS are the largest. */
const REPORT_LIMIT = 16 << 20;

/**
 * `POST /telemetry/…`: 200 with nothing. Where a seed is configured, panics and hangs that were not
 * made by a client with this seed get 400; events with a wrong checksum only a line in the log.
 * [transport 7.4]
 */
export async function telemetry({ request, params, deps }: Exchange): Promise<Response> {
  const seed = deps.config.checksumSeed?.reveal();
  const kind = params["*"]!;
  // Crash files carry no checksum.
  const isChecked = seed !== undefined && ["events", "panics", "hangs"].includes(kind);
  if (!isChecked && deps.telemetry === undefined) {
    await dropBody(request, REPORT_LIMIT);
    return plainText(200, "");
  }
  const body = await readBody(request, REPORT_LIMIT);
  if (isChecked && !isChecksum(request.headers.get("x-zed-checksum") ?? "", seed, body)) {
    if (kind !== "events") return plainText(400, "the checksum is missing or wrong");
    deps.log.debug("Telemetry with a wrong checksum is dropped", {});
    return plainText(200, "");
  }
  await deps.telemetry?.keep(kind, body);
  return plainText(200, "");
}

/** Hex of SHA-256 over seed, body, seed. [transport 7.4.1] */
function isChecksum(given: string, seed: string, body: Uint8Array): boolean {
  const wanted = createHash("sha256").update(seed).update(body).update(seed).digest();
  const found = /^[0-9a-f]{64}$/i.test(given) ? Uint8Array.fromHex(given) : new Uint8Array(32);
  return timingSafeEqual(wanted, found);
}
