/** Addresses that come and go while a server runs. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { nodeHttpClient } from "../../client/node/http_client.ts";
import { Endpoints } from "../../http/endpoints.ts";
import { Listener } from "../../http/listener.ts";
import { systemClock } from "../../lib/clock.ts";
import { createLog } from "../../lib/log.ts";
import { fingerprint, type Identity, makeCertificate } from "../../local/certificate.ts";
import { waitUntil } from "../support/wait_until.ts";

function open(host: string, port: number, identity?: Identity): Listener {
  return new Listener({
    host,
    port,
    clock: systemClock,
    log: createLog(),
    ...(identity && { tls: { cert: identity.certificate, key: identity.key } }),
    handler: (request) => {
      if (request.headers.get("upgrade") !== "websocket") {
        return Promise.resolve(new Response("here"));
      }
      return Promise.resolve(Deno.upgradeWebSocket(request).response);
    },
  });
}

async function isThere(url: string, pin?: string): Promise<boolean> {
  const http = nodeHttpClient({ pin, environment: () => undefined });
  try {
    return await (await http.request(url)).text() === "here";
  } catch {
    return false;
  } finally {
    http.close();
  }
}

Deno.test("[local 2b] an address that stays keeps its connections, one that is gone is closed, one that is taken is told", async () => {
  const first = open("127.0.0.1", 0);
  const { port } = first;
  const endpoints = new Endpoints(({ host }) => open(host, port));
  assertEquals(await endpoints.set([{ host: "127.0.0.2" }, { host: "127.0.0.3" }]), new Map());
  const socket = new WebSocket(`ws://127.0.0.2:${port}`);
  let isClosed = false;
  socket.onclose = () => isClosed = true;
  await waitUntil(() => socket.readyState === WebSocket.OPEN, { describe: "the connection" });

  const other = open("127.0.0.4", port);
  const failed = await endpoints.set([{ host: "127.0.0.2" }, { host: "127.0.0.4" }]);
  assertEquals([...failed.keys()], ["127.0.0.4"]);
  assertInstanceOf(failed.get("127.0.0.4"), Deno.errors.AddrInUse);
  assertEquals(await isThere(`http://127.0.0.2:${port}/`), true);
  assertEquals(await isThere(`http://127.0.0.3:${port}/`), false);
  assertEquals(isClosed, false);
  await other.close();
  assertEquals(await endpoints.set([{ host: "127.0.0.2" }, { host: "127.0.0.4" }]), new Map());
  assertEquals(isClosed, false);

  await endpoints.close();
  await waitUntil(() => isClosed, { describe: "its end" });
  assertEquals(await isThere(`http://127.0.0.4:${port}/`), false);
  await first.close();
});

Deno.test("[local 4] another certificate takes the place of the one before, on the same port", async () => {
  const first = open("127.0.0.1", 0);
  const { port } = first;
  const names = { hosts: [], addresses: ["127.0.0.2"], now: Date.now() };
  const [a, b] = [await makeCertificate(names), await makeCertificate(names)];
  const endpoint = ({ certificate: cert, key }: Identity) => ({
    host: "127.0.0.2",
    tls: { cert, key },
  });
  const endpoints = new Endpoints(({ host, tls }) =>
    open(host, port, tls && { certificate: tls.cert, key: tls.key })
  );
  const url = `https://127.0.0.2:${port}/`;
  for (const shown of [a, b]) {
    assertEquals(await endpoints.set([endpoint(shown)]), new Map());
    assertEquals(await isThere(url, fingerprint(shown.certificate)), true);
  }
  assertEquals(await isThere(url, fingerprint(a.certificate)), false);
  await endpoints.close();
  await first.close();
});
