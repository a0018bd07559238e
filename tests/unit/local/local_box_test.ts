import { assertEquals, assertStringIncludes } from "@std/assert";
import { codeLine, type LocalAnnouncement, localBox, pairingUrl } from "../../../cli/local_box.ts";

const fingerprint = "ab12".repeat(16);
const expires = new Date(2026, 10, 21, 9, 5).getTime();
const everything: LocalAnnouncement = {
  name: "Parley on ship",
  loopbackUrl: "http://127.0.0.1:45454",
  networkUrls: ["https://ship.local:45454", "https://192.168.1.7:45454"],
  code: { text: "ABCD-2345", expires },
  fingerprint,
  discoveredAs: "Parley on ship (2)",
};

Deno.test("[local 1c] the box shows addresses, pairing code, fingerprint and the setting for Zed", () => {
  const [top, ...lines] = localBox(everything).split("\n");
  const end = lines.findIndex((line) => line.startsWith("╰"));
  const inside = lines.slice(0, end).map((line) => line.slice(2, -2).trimEnd());
  const half = Array(8).fill("ab12").join(" ");
  assertEquals(inside, [
    "Parley on ship",
    "",
    "This machine    http://127.0.0.1:45454",
    "Network         https://ship.local:45454",
    "                https://192.168.1.7:45454",
    "Discovered as   Parley on ship (2)",
    "Pairing code    ABCD-2345  (until 09:05)",
    `Fingerprint     ${half}`,
    `                ${half}`,
    'Zed\'s settings  "server_url": "http://127.0.0.1:45454"',
  ]);
  for (const line of lines.slice(0, end + 1)) assertEquals(line.length, top?.length);
  // The QR code stands below it.
  assertStringIncludes(lines.slice(end + 1).join("\n"), "▀");
});

Deno.test("[local 1c] without other machines there is nothing to pair and to scan", () => {
  const alone = { ...everything, networkUrls: [], code: undefined, fingerprint: undefined };
  assertEquals(pairingUrl(alone), undefined);
  assertEquals(localBox(alone).split("\n").at(-1)?.[0], "╰");
});

Deno.test("[local 1c] the scanned address is the pairing page's, with code and fingerprint", () => {
  const url = new URL(pairingUrl(everything) as string);
  assertEquals(url.origin + url.pathname, "https://ship.local:45454/pair");
  const fields = url.searchParams;
  assertEquals(fields.get("code"), "ABCD-2345");
  assertEquals(fields.get("fingerprint"), fingerprint);
});

Deno.test("[local 3] a new code is told with its time", () => {
  assertEquals(codeLine({ text: "ABCD-2345", expires }), "Pairing code: ABCD-2345 (until 09:05)");
});
