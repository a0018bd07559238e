/**
 * The samples of `deploy/` for nginx and Caddy, with their names and places changed to the test's,
 * before a real server: a whole join passes, and what is private does not. By hand, with
 * `PARLEY_TEST_IDLE=90`, nobody says anything for so many seconds.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { CERTIFICATES, joined } from "../support/join_process.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Where a program is; undefined where it is not installed. */
async function find(name: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}

/** Curl's view: TLS without checking who it is, which the join has done. */
async function status(client: Deno.HttpClient, url: string): Promise<number> {
  const answer = await fetch(url, { client, redirect: "manual" });
  await answer.body?.cancel();
  return answer.status;
}

async function assertPasses(server: TestServer, url: string): Promise<void> {
  const authority = await Deno.readTextFile(`${CERTIFICATES}authority.pem`);
  using client = Deno.createHttpClient({ caCerts: [authority] });
  await waitUntil(() => status(client, `${url}/livez`).then((code) => code === 200, () => false), {
    describe: "the proxy",
  });
  const users = [await server.addUser("ann"), await server.addUser("bob")];
  assertEquals(await joined(url, ...users), "joined\n");
  for (const path of ["/metrics", "/internal/admin/users", "//internal/admin/users"]) {
    assertEquals(await status(client, url + path), 404, path);
  }
  assertEquals(await status(client, `${url}/account`), 303);
  // The proxy tells who asks: the count is that of the client's address, here the machine's own.
  const { headers, body } = await fetch(`${url}/livez`, { client });
  await body?.cancel();
  assert(headers.get("x-request-id"));
}

const nginx = await find("nginx");
Deno.test({
  name: `[transport 1.7.4] the sample for nginx passes a whole join${
    nginx ? "" : " (skipped: no nginx here)"
  }`,
  ignore: nginx === undefined,
  async fn() {
    await using server = await startServer();
    const folder = await Deno.makeTempDir({ prefix: "parley-nginx-" });
    const port = freePort();
    const sample = await Deno.readTextFile(`${ROOT}deploy/nginx.conf`);
    assertMatch(sample, /proxy_read_timeout 1h;/);
    const site = sample
      .replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
      .replace("127.0.0.1:8080", new URL(server.url).host)
      .replace(/\/etc\/letsencrypt\S+fullchain\.pem/, `${CERTIFICATES}good.pem`)
      .replace(/\/etc\/letsencrypt\S+privkey\.pem/, `${CERTIFICATES}good.key`);
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `pid ${folder}/pid; error_log stderr; daemon off; worker_processes 1;
events {} http { access_log off; client_body_temp_path ${folder}/body;
proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u;
scgi_temp_path ${folder}/s; ${site} }`,
    );
    const child = new Deno.Command(nginx!, {
      args: ["-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await assertPasses(server, `https://127.0.0.1:${port}`);
    } finally {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const caddy = Deno.env.get("PARLEY_TEST_CADDY") ?? await find("caddy");
Deno.test({
  name: `[transport 1.7.4] the sample for Caddy passes a whole join${
    caddy ? "" : " (skipped: no caddy here)"
  }`,
  ignore: caddy === undefined,
  async fn() {
    await using server = await startServer();
    const folder = await Deno.makeTempDir({ prefix: "parley-caddy-" });
    const [port, other] = [freePort(), freePort()];
    const sample = await Deno.readTextFile(`${ROOT}deploy/Caddyfile`);
    const tls = `tls ${CERTIFICATES}good.pem ${CERTIFICATES}good.key`;
    await Deno.writeTextFile(
      `${folder}/Caddyfile`,
      `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${
        sample.replace(" {\n\t# For", ` {\n\t${tls}\n\t# For`)
          .replace("{$LIVEKIT_HOST:livekit.example.com}", `http://127.0.0.1:${other}`)
      }`,
    );
    const child = new Deno.Command(caddy!, {
      args: ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"],
      env: {
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
        PARLEY_HOST: `https://127.0.0.1:${port}`,
        PARLEY_UPSTREAM: new URL(server.url).host,
      },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await assertPasses(server, `https://127.0.0.1:${port}`);
    } finally {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
});
