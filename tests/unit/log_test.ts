import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Secret } from "../../lib/setting.ts";
import { configureLog, type LogConfig } from "../../lib/configure_log.ts";
import { createLog, type Log, redact } from "../../lib/log.ts";

const token = "oxDNX8Bskybnsqh0rqvazhKvL8jrKS0xPlWVUEPRibeoCx9k1F_1LMfD4UjKqs_c";

/** The lines that a log has written. */
async function written(config: LogConfig, body: (log: Log) => void): Promise<string[]> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) });
  const end = await configureLog(config, stream);
  body(createLog());
  await end();
  const text = await new Blob(chunks as BlobPart[]).text();
  return text.split("\n").filter((line) => line !== "");
}

Deno.test("[issue 3 run] the log for machines is one JSON object per line", async () => {
  const lines = await written({ level: "info", format: "json" }, (log) => {
    log.with({ room: 3 }).info("Room {room} has {count} members", { count: 2n });
    log.info("{user} did {what}", { user: '"Ann"\n', what: ["this"] });
    log.error("Crashed: {error}", { error: new Error("Line\nbreak") });
  });
  assertEquals(lines.length, 3);
  const [first, texts, second] = lines.map((line) => JSON.parse(line));
  assertEquals([first.level, first.room, first.count], ["INFO", 3, "2"]);
  assertEquals(first.message, "Room 3 has 2 members");
  assertEquals([texts.message, texts.user], ['"Ann"\n did ["this"]', '"Ann"\n']);
  assertEquals(second.level, "ERROR");
  assertMatch(second.error, /Error: Line\nbreak/);
});

Deno.test("[issue 3 run] the log for people is a line with time, level and message", async () => {
  const lines = await written({ level: "info", format: "text" }, (log) => {
    log.warn("Evicted {address}", { address: "/connections/1:2" });
    log.info("A peer's text: {text} of {value}", { text: "two\nlines\x1b[2J", value: { a: 1 } });
  });
  assertEquals(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3}/, "TIME")), [
    "TIME WARNING Evicted /connections/1:2",
    "TIME INFO A peer's text: two",
    '    lines\\u001b[2J of {"a":1}',
  ]);
});

Deno.test("[issue 3 run] messages below the level are not written", async () => {
  for (const [level, count] of [["debug", 4], ["info", 3], ["warning", 2], ["error", 1]] as const) {
    const lines = await written({ level, format: "json" }, (log) => {
      log.debug("d");
      log.info("i");
      log.warn("w");
      log.error("e");
    });
    assertEquals(lines.length, count, level);
  }
});

Deno.test("[issue 3 run] nothing secret reaches the log", async () => {
  const secrets = {
    token,
    headers: { authorization: `1 {"version":1,"id":1,"token":"${token}"}` },
    apiToken: new Secret(token),
    nested: { list: [{ adminSecret: token }] },
    text: `upgrade of 1 {"version":1,"id":1,"token":"${token}"} refused`,
    escaped: JSON.stringify({ body: JSON.stringify({ token }) }),
    bearer: `Bearer ${token}`,
    apiHeader: `token ${token}`,
    error: new Error(`Cannot use {"token":"${token}"}`),
  };
  for (const format of ["text", "json"] as const) {
    const lines = await written({ level: "debug", format }, (log) => {
      log.info("{text} {bearer} {error}", secrets);
      log.with(secrets).error("again {nested}");
    });
    assertMatch(lines.join("\n"), /again/);
    for (const line of lines) assertNotMatch(line, /oxDNX8Bsk/);
  }
});

Deno.test("[issue 3 run] what is not secret stays as it is", () => {
  const plain = { tokens: 3, id: 1, text: "a token ring", flag: true, none: null, list: [1, "x"] };
  assertEquals(redact(plain), plain);
  assertEquals(redact({ bytes: new Uint8Array(9) }), { bytes: "9 bytes" });
  assertEquals(redact({ at: new Date(0) }), { at: "1970-01-01T00:00:00.000Z" });
  const endless: Record<string, unknown> = {};
  endless.self = endless;
  assertMatch(JSON.stringify(redact(endless)), /…/);
});
