/** The server's own certificate, without a proxy. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CertificateError } from "../../http/certificate.ts";
import { localUrl, readRunningServer } from "../../http/running_server.ts";
import { CERTIFICATES, joined } from "../support/join_process.ts";
import { startServer } from "../support/server.ts";

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

Deno.test("[issue 4 https] a certificate that cannot be used is named before anything begins", async () => {
  for (
    const [cert, key, says] of [
      ["good", "expired", /TLS_KEY: .*expired\.key is not the key of .*good\.pem/],
      ["none", "good", /Cannot read TLS_CERT=.*none\.pem/],
      ["good", "none", /Cannot read TLS_KEY=.*none\.key/],
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
