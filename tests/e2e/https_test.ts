/** The server's own certificate, without a proxy. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readFingerprint } from "../../client/node.ts";
import { CertificateError } from "../../http/certificate.ts";
import { localUrl, readRunningServer } from "../../http/running_server.ts";
import { CERTIFICATES, joined } from "../support/join_process.ts";
import { fingerprint } from "../../local/certificate.ts";
import type { Log } from "../../lib/log.ts";
import { examine } from "../support/doctor.ts";
import { startServer } from "../support/server.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { waitUntil } from "../support/wait_until.ts";

function flags(cert: string, key = cert): readonly string[] {
  return ["--tls-cert", `${CERTIFICATES}${cert}.pem`, "--tls-key", `${CERTIFICATES}${key}.key`];
}

Deno.test("[issue 4 https] with a certificate of its own the server is reached by https and wss", async () => {
  await using server = await startServer({ flags: flags("good") });
  assertMatch(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const users = [await server.addUser("ann"), await server.addUser("bob")];
  assertEquals(await joined(server.url, ...users), "joined\n");
  // The commands of the same machine need no name that a certificate knows.
  const running = await readRunningServer(server.dataDir);
  assertMatch(running!.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assertEquals(await (await fetch(`${running!.url}/livez`)).text(), "ok");
  const { headers, body } = await fetch(`${running!.url}/livez`);
  await body?.cancel();
  assertEquals(headers.get("strict-transport-security"), "max-age=31536000");
});

Deno.test("[issue 4 https] on the server's machine the doctor examines what clients meet, the certificate too", async () => {
  const examined = async (cert: string, ...more: readonly string[]) => {
    await using server = await startServer({ flags: [...flags(cert), ...more] });
    const report = await examine([], {}, { PARLEY_DATA_DIR: server.dataDir });
    return { ...report, own: server.url };
  };
  const good = await examined("good");
  assertEquals([good.url, good.ok, good.troubles], [good.own, true, []]);
  const ended = await examined("expired");
  assertEquals(ended.ok, false);
  assertMatch(ended.step("tls")!.text, /expired on 2021-01-01/);
  const named = await examined("good", "--public-url", "https://127.0.0.1:1/parley");
  assertEquals(named.url, "https://127.0.0.1:1/parley");
  assertEquals(named.troubles, ["failure tcp"]);
});

Deno.test("[issue 4 https] a certificate that cannot be used is named before anything begins", async () => {
  for (
    const [cert, key, says] of [
      ["good", "expired", /TLS_KEY: .*expired\.key is not the key of .*good\.pem/],
      ["none", "good", /Cannot read TLS_CERT=.*none\.pem/],
      ["good", "none", /Cannot read TLS_KEY=.*none\.key/],
      ["first_version", "first_version", /TLS does not take .*first_version\.pem: .*issued anew/],
    ] as const
  ) {
    const error = await assertRejects(
      () => startServer({ flags: flags(cert, key) }),
      CertificateError,
    );
    assertMatch(error.message, says);
  }
  assertEquals(localUrl("::", 1, "https"), "https://[::1]:1");
});

/** Keeps what is said; `{name}` is filled in. */
function noting(said: string[]): Log {
  const note =
    (level: string) => (message: string, properties: Readonly<Record<string, unknown>> = {}) =>
      void said.push(
        `${level} ${message.replaceAll(/\{(\w+)\}/g, (_, name) => String(properties[name]))}`,
      );
  const log: Log = {
    tellsDebug: false,
    debug: () => {},
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
    with: () => log,
  };
  return log;
}

Deno.test("[issue 4 https] a renewed certificate is shown without a restart; one that cannot be used is named, and the earlier one stays", async () => {
  const folder = await Deno.makeTempDir();
  const copy = (name: string, ending: "pem" | "key") =>
    Deno.copyFile(`${CERTIFICATES}${name}.${ending}`, `${folder}/own.${ending}`);
  const fingerprintOf = async (name: string) =>
    fingerprint(await Deno.readTextFile(`${CERTIFICATES}${name}.pem`));
  await copy("good", "pem");
  await copy("good", "key");
  const [said, clock] = [[] as string[], new SteppedClock(Date.UTC(2119, 0, 1))];
  try {
    await using server = await startServer({
      flags: ["--tls-cert", `${folder}/own.pem`, "--tls-key", `${folder}/own.key`],
      parts: { clock, log: noting(said) },
    });
    const shown = () => readFingerprint(server.url, AbortSignal.timeout(60_000));
    assertEquals(await shown(), await fingerprintOf("good"));
    // A look between the writing of one file and that of the other.
    await copy("elsewhere", "pem");
    clock.advance(60_000);
    await waitUntil(() => said.some((line) => /^warn .*own\.key is not the key of /.test(line)));
    assertEquals(await shown(), await fingerprintOf("good"));
    await copy("elsewhere", "key");
    await waitUntil(async () => {
      clock.advance(60_000);
      return await shown() === await fingerprintOf("elsewhere");
    });
    const { port } = new URL(server.url);
    assertEquals(server.server.port, Number(port));
    await copy("expired", "pem");
    await copy("expired", "key");
    await waitUntil(async () => {
      clock.advance(60_000);
      return await shown() === await fingerprintOf("expired");
    });
    await waitUntil(() =>
      said.some((line) =>
        /^error The certificate in .* has ended at 2021-01-01T00:00:00/.test(line)
      )
    );
    assertEquals(said.filter((line) => line.startsWith("error")).length, 1, said.join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
