/** More connections than the system lets the process have: the service comes back by itself. */
import { assertEquals } from "@std/assert";
import { RawClient } from "../support/raw_client.ts";
import { TestPeer } from "../support/test_peer.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Files that the server may have open, a little more than it needs for itself. */
const FILES = 120;

/** Address and secret, as the server leaves them to the command line. */
interface Running {
  readonly url: string;
  readonly adminSecret: string;
}

Deno.test("[design 6, 6c] bad input: so many half-open connections that no file is left; who is there stays", async () => {
  const folder = await Deno.makeTempDir({ prefix: "parley-test-" });
  const serve = `ulimit -n ${FILES}; exec "$0" run -A main.ts serve --port 0 --data-dir "$1"`;
  const server = new Deno.Command("sh", {
    args: ["-c", serve, Deno.execPath(), folder],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const begun: RawClient[] = [];
  try {
    const { url, adminSecret } = await waitUntil(
      async () => JSON.parse(await Deno.readTextFile(`${folder}/server.json`)) as Running,
      { describe: "the server" },
    );
    const added = await fetch(`${url}/internal/admin/users`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminSecret}` },
      body: JSON.stringify({ logins: ["a"], admin: false }),
    });
    const [user] = await added.json();
    await using peer = await TestPeer.connect({ url, user });
    for (let index = 0; index < FILES; index++) {
      const client = await RawClient.connect(url).catch(() => undefined);
      if (client === undefined) break;
      begun.push(client);
      await client.write("GET /rpc HTTP/1.1\r\nHost: localhost\r\nX").catch(() => {});
    }
    await waitUntil(() => isRefused(url), { describe: "connections to be refused" });
    assertEquals((await peer.ask("Ping", {})).name, "Ack");
    for (const client of begun) client.close();
    await waitUntil(async () => !await isRefused(url), { describe: "the service to be back" });
    await using late = await TestPeer.connect({ url, user });
    assertEquals((await late.ask("Ping", {})).name, "Ack");
    assertEquals((await peer.ask("Ping", {})).name, "Ack");
  } finally {
    for (const client of begun) client.close();
    server.kill("SIGTERM");
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
});

async function isRefused(url: string): Promise<boolean> {
  try {
    using client = await RawClient.connect(url);
    await client.request("/", { host: "localhost", connection: "close" });
    return !((await client.response()).status === 200);
  } catch {
    return true;
  }
}
