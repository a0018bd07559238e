/** A server as its operator sees it: what its process says, to the log and to a collector of traces. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inviteUser, setPassword } from "../../db/accounts.ts";
import { ServerProcess } from "../fault/server_process.ts";
import { Browser } from "../support/browser.ts";
import { NativeListener } from "../support/native_app.ts";
import { cheapPasswords, PASSWORD, signInPath } from "../support/sign_in.ts";
import { TestPeer } from "../support/test_peer.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Settings whose values nobody may read in a log. */
const SECRETS = {
  API_TOKEN: "api-token-that-nobody-reads",
  AUTH_STRATEGY: "shared-secret",
  AUTH_SECRET: "shared-secret-that-nobody-reads",
  LLM_API_SECRET: "model-secret-that-nobody-reads",
  ZED_CLIENT_CHECKSUM_SEED: "seed-that-nobody-reads",
  LIVEKIT_SERVER: "ws://127.0.0.1:9",
  LIVEKIT_KEY: "media-key",
  LIVEKIT_SECRET: "media-secret-that-nobody-reads-in-a-log",
};

Deno.test("[issue 4 logs] from the start to the end, at the finest level, no secret gets into the log", async () => {
  for (const format of ["json", "text"]) {
    await using server = await ServerProcess.prepare(["ann"], {
      flags: ["--log-level", "debug", "--log-format", format],
      env: SECRETS,
    });
    const secrets = Object.values(SECRETS).filter((value) => value.includes("nobody-reads"));
    const invitation = await server.withStore(async (store) => {
      await setPassword(store, cheapPasswords, "ann", PASSWORD);
      return (await inviteUser(store, "new", { admin: false, now: Date.now() })).path;
    });
    secrets.push(PASSWORD, server.users.get("ann")!.token, invitation.split("=")[1]!);
    await server.start();
    const { url } = server;
    secrets.push(JSON.parse(await Deno.readTextFile(`${server.dataDir}/server.json`)).adminSecret);

    const browser = new Browser(url);
    await using editor = new NativeListener(url);
    const page = await browser.open(signInPath(editor.app, editor.port));
    const form = page.forms[0]!;
    await browser.submit(form, { login: "ann", password: `${PASSWORD}-wrong` });
    const back = await browser.submit(form, { login: "ann", password: PASSWORD });
    await (await fetch(back.location!)).body?.cancel();
    const { id, token } = await editor.credentials;
    secrets.push(token, JSON.parse(token).token, ...browser.cookies.values());
    secrets.push(form.fields.csrf!);
    await browser.open("/account");
    await browser.open(invitation);

    const user = { id, login: "ann", token };
    await using peer = await TestPeer.connect({ url, user });
    await peer.call("CreateRoom", {});
    await peer.ask("JoinRoom", { id: 999n });
    for (
      const authorization of [
        `${id} ${token}x`,
        `${id} ${SECRETS.AUTH_SECRET}`,
        `Bearer ${SECRETS.API_TOKEN}`,
        `token ${SECRETS.API_TOKEN}`,
      ]
    ) {
      for (const path of ["/client/users/me", "/user?github_login=ann", "/client/llm_tokens"]) {
        await (await fetch(url + path, { headers: { authorization } })).body?.cancel();
      }
    }
    const { errors } = await server.terminate();
    assertStringIncludes(errors, "/client/users/me");
    for (const secret of secrets) {
      assert(secret.length > 7, `too short to look for: ${secret}`);
      assert(!errors.includes(secret), `the log has ${secret}`);
    }
    if (format !== "json") continue;
    for (const line of errors.trim().split("\n")) {
      const { level, message, "@timestamp": time } = JSON.parse(line);
      assert(level && message && time, line);
    }
  }
});

Deno.test("[issue 4 traces] with OTEL_DENO=true a collector hears of each request", async () => {
  const bodies: string[] = [];
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (new URL(request.url).pathname === "/v1/traces") bodies.push(await request.text());
      else await request.body?.cancel();
      return Response.json({});
    },
  );
  await using server = await ServerProcess.prepare([], {
    env: {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "parley",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
  });
  await server.start();
  assertEquals(await (await fetch(`${server.url}/livez`)).text(), "ok");
  await waitUntil(() => bodies.some((body) => body.includes("/livez")), {
    describe: "the span of a request",
  });
  assertStringIncludes(bodies.join(""), '"parley"');
});
