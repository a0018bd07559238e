/** A start that fails while clients are knocking already. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Store } from "../../db/store.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { loadConfig } from "../../lib/load_config.ts";
import { createServer } from "../../server.ts";
import { freePort } from "../support/free_port.ts";

/** The status line of the answer to a request as it is written. */
async function ask(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1024);
  const length = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, length)).split("\r\n", 1)[0] as string;
}

Deno.test("[design 1.3e] a server that does not come up ends all the same, whoever waits for its answer", async () => {
  const store = await openSqlite({ path: ":memory:" });
  const epoch = Promise.withResolvers<number>();
  const broken = new Proxy(store, {
    get: (target, name) => name === "startEpoch" ? () => epoch.promise : Reflect.get(target, name),
  }) as Store;
  const port = freePort();
  const server = createServer(loadConfig(["--port", String(port), "--data-dir", "unused"], {}), {
    store: broken,
  });
  const started = assertRejects(() => server.start(), Error, "The database is away");
  const waiting = await Deno.connect({ hostname: "127.0.0.1", port });
  await waiting.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"));
  // What is no request is answered at once, behind whoever came before.
  const other = await Deno.connect({ hostname: "127.0.0.1", port });
  await other.write(new TextEncoder().encode("\0\r\n\r\n"));
  assertEquals(await ask(other), "HTTP/1.1 400 Bad Request");
  epoch.reject(new Error("The database is away"));
  await started;
  const answer = ask(waiting);
  await server.stop();
  assertEquals(await answer, "HTTP/1.1 503 Service Unavailable");
  waiting.close();
  other.close();
  await store.close();
});
