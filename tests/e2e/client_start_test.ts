/** How a client starts: stored logins, the environment, limits, and what it hears of its account. */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { CollabClient } from "../../client/collab_client.ts";
import { MemoryStore } from "../../client/credentials/memory_store.ts";
import { AuthenticationError, ConnectError, UnauthorizedError } from "../../client/errors.ts";
import { fetchClient } from "../../client/http/fetch_client.ts";
import type { HttpClient } from "../../client/http/http_client.ts";
import { environmentChecksumSeed, environmentOptions } from "../../client/node/environment.ts";
import type { SignInMethod } from "../../client/sign_in/sign_in_method.ts";
import { Telemetry, type TelemetryEvent } from "../../client/telemetry/telemetry.ts";
import type { Transport } from "../../client/transport.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { waitUntil } from "../support/wait_until.ts";

const SECRET = "s".repeat(32);

/** Nobody is there to sign in. */
class Nobody implements SignInMethod {
  asked = 0;
  signIn(): Promise<never> {
    this.asked++;
    return Promise.reject(new Error("Nobody is there"));
  }
}

async function stored(server: TestServer, login = "ann"): Promise<MemoryStore> {
  const { id, token } = await server.addUser(login);
  const store = new MemoryStore();
  await store.write(server.url, { userId: id, token });
  return store;
}

/** Waits for what it is asked until that is aborted. */
function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}

Deno.test("[transport 3.3.3] 2025: discovery and WebSocket have 20 s together, first and again", async () => {
  const clock = new SteppedClock();
  let hangsAt: "discovery" | "socket" = "discovery";
  let waiting = 0;
  const http: HttpClient = {
    request: (_url, { signal } = {}) => {
      if (hangsAt === "discovery") {
        waiting++;
        return hang(signal);
      }
      // Late: what is left is for the WebSocket.
      clock.advance(15_000);
      return Promise.resolve(
        new Response(null, { status: 302, headers: { location: "http://h/rpc" } }),
      );
    },
    close() {},
  };
  const transport: Transport = {
    connect: (_url, _headers, signal) => {
      waiting++;
      return hang(signal);
    },
  };
  const client = new CollabClient({
    ...{ serverUrl: "http://h", generation: "2025", clock, http, transport },
    credentials: { userId: 1, token: "t" },
  });
  const names: string[] = [];
  client.onStatus(({ name }) => void names.push(name));
  const first = client.connection.connect();
  first.catch(() => {});
  await waitUntil(() => waiting === 1);
  clock.advance(19_999);
  assertEquals(client.status.name, "Connecting");
  clock.advance(1);
  await assertRejects(() => first, ConnectError, "no hello within 20000 ms");
  hangsAt = "socket";
  const second = client.connection.connect();
  second.catch(() => {});
  await waitUntil(() => waiting === 2);
  clock.advance(4_999);
  assertEquals(client.status.name, "Reconnecting");
  clock.advance(1);
  await assertRejects(() => second, ConnectError, "no hello within 20000 ms");
  assertEquals(names, [
    ...["Authenticating", "Connecting", "ConnectionError", "Reconnecting", "ConnectionError"],
  ]);
  client.close();
  assertEquals(clock.timers, 0);
});

Deno.test("[transport 3.3.7] 2025: at the start a stored login connects, and without one nothing happens", async () => {
  await using server = await startServer();
  const method = new Nobody();
  const options = {
    serverUrl: server.url,
    generation: "2025",
    transport: denoTransport,
    signIn: method,
  } as const;
  {
    await using client = new CollabClient({ ...options, store: await stored(server) });
    assertEquals(await client.connection.resume(), true);
    assertEquals(client.status.name, "Connected");
  }
  await using client = new CollabClient({ ...options, store: new MemoryStore() });
  assertEquals(await client.connection.resume(), false);
  await using impersonating = new CollabClient({
    ...options,
    store: await stored(server),
    isImpersonating: true,
  });
  assertEquals(await impersonating.connection.resume(), false);
  assertEquals([client.status.name, impersonating.status.name, method.asked], [
    ...["SignedOut", "SignedOut", 0],
  ]);
});

Deno.test("[transport 3.4.3] 2026: at the start a stored login signs in, and connects the staff only", async () => {
  await using server = await startServer({ flags: ["--staff", "admins"] });
  await using client = new CollabClient({
    ...{ serverUrl: server.url, transport: denoTransport, generation: "2026" },
    store: await stored(server),
  });
  assertEquals(await client.connection.resume(), true);
  await waitUntil(() => client.connection.account.user !== undefined);
  assertEquals(client.status.name, "Authenticated");
});

Deno.test("[transport 3.8.5] what the environment says for a library: addresses, staff, the seed", async () => {
  await using server = await startServer();
  const { id, token } = await server.addUser("ann");
  const variables: Record<string, string> = {
    ZED_SERVER_URL: server.url,
    ZED_RPC_URL: `${server.url}/rpc`,
    ZED_DISABLE_STAFF: "1",
    ZED_CLIENT_CHECKSUM_SEED: "seed",
  };
  const environment = (name: string) => variables[name];
  const options = environmentOptions({ environment });
  assertEquals(options, {
    serverUrl: server.url,
    rpcUrl: `${server.url}/rpc`,
    disableStaff: true,
  });
  assertEquals(environmentChecksumSeed({ environment }), "seed");
  // The environment goes before the setting.
  await using client = await CollabClient.connect({
    serverUrl: "http://127.0.0.1:1",
    transport: denoTransport,
    credentials: { userId: id, token },
    ...options,
  });
  assertEquals(client.connection.serverUrl, server.url);
  for (const name of Object.keys(variables)) variables[name] = "";
  assertEquals(environmentOptions({ environment }), {});
  assertEquals(environmentChecksumSeed({ environment }), undefined);
});

Deno.test("[transport 4.3.1, 4.3.3] login and admin token in the environment sign in without a browser, unless that is asked for", async () => {
  await using server = await startServer({ flags: ["--api-token", SECRET] });
  const user = await server.addUser("ann");
  const signIn = (variables: Record<string, string>) =>
    environmentOptions({ environment: (name) => variables[name] });
  const both = { ZED_IMPERSONATE: "ann", ZED_ADMIN_API_TOKEN: SECRET };
  const base = { serverUrl: server.url, transport: denoTransport };
  const store = new MemoryStore();
  {
    await using client = await CollabClient.connect({ ...base, store, ...signIn(both) });
    assertEquals(client.userId, BigInt(user.id));
  }
  assertEquals(await store.read(server.url), undefined);
  for (
    const variables of [
      { ...both, ZED_WEB_LOGIN: "1" },
      { ZED_IMPERSONATE: "ann" },
      { ZED_ADMIN_API_TOKEN: SECRET },
    ] as Record<string, string>[]
  ) {
    assertEquals("signIn" in signIn(variables), false, JSON.stringify(variables));
  }
  const wrong = { ...base, ...signIn({ ...both, ZED_ADMIN_API_TOKEN: "x".repeat(32) }) };
  await assertRejects(() => CollabClient.connect(wrong), AuthenticationError, "answers 401");
});

Deno.test("[transport 3.7.4] a notice loads the account anew, over the server's own WebSocket", async () => {
  await using server = await startServer({ flags: ["--api-token", SECRET] });
  const { id } = await server.addUser("ann");
  let isOpen = false;
  const transport: Transport = {
    async connect(url, headers, signal) {
      const socket = await denoTransport.connect(url, headers, signal);
      isOpen ||= url.pathname === "/client/users/connect";
      return socket;
    },
  };
  await using client = await server.client("ann", { transport });
  await waitUntil(() => isOpen && client.connection.account.user !== undefined);
  let loads = 0;
  client.connection.account.changes.add(() => void loads++);
  await waitUntil(async () => {
    // The server counts the socket a moment after its handshake.
    const response = await fetch(`${server.url}/users/${id}/refresh_llm_tokens`, {
      method: "POST",
      headers: { authorization: `token ${SECRET}` },
    });
    await response.body?.cancel();
    return loads > 0;
  });
  assertEquals(client.status.name, "Connected");
});

Deno.test("[transport 3.7.6] a refusal of the notices' WebSocket signs nobody out", async () => {
  await using server = await startServer();
  const store = await stored(server);
  let refusals = 0;
  const transport: Transport = {
    connect(url, headers, signal) {
      if (url.pathname !== "/client/users/connect") {
        return denoTransport.connect(url, headers, signal);
      }
      refusals++;
      // The server's own 401.
      return denoTransport.connect(url, { ...headers, authorization: "1 wrong" }, signal);
    },
  };
  const warnings: string[] = [];
  await using client = await CollabClient.connect({
    ...{ serverUrl: server.url, transport, store, generation: "2026", random: () => 0 },
    warn: (text) => void warnings.push(text),
  });
  await waitUntil(() => warnings.length >= 2 && refusals >= 2);
  assertEquals(warnings[0]?.startsWith("Cannot listen for notices: "), true, warnings[0]);
  assertEquals(client.status.name, "Connected");
  assertEquals((await store.read(server.url)) !== undefined, true);
  const error = await denoTransport.connect(
    new URL(`${server.url.replace("http", "ws")}/client/users/connect`),
    { authorization: "1 wrong" },
    new AbortController().signal,
  ).then(() => undefined, (error) => error);
  assertInstanceOf(error, UnauthorizedError);
});

Deno.test("[issue 7 telemetry] a client tells what it was told to collect, with its metrics id, and clears it at sign-out", async () => {
  await using server = await startServer();
  const batches: [readonly TelemetryEvent[], string | undefined][] = [];
  const telemetry = new Telemetry({
    sink: (events, account) => void batches.push([events, account?.metricsId]),
    isOn: true,
  });
  const client = await server.client("ann", { telemetry, http: fetchClient() });
  await waitUntil(() => client.connection.account.user !== undefined);
  const { metricsId } = client.connection.account.user!;
  await client.connection.signOut();
  telemetry.event("Later");
  await client[Symbol.asyncDispose]();
  assertEquals(
    batches.map(([events, id]) => [events.map(({ type }) => type), id]),
    [[["Client Connected"], metricsId], [["Later"], undefined]],
  );
});
