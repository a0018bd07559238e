/** The servers that a device is signed in to, by the commands and real servers. */
import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { runJoin } from "../../cli/join.ts";
import { runLogin } from "../../cli/login.ts";
import { runLogout, runServers, runUse } from "../../cli/servers.ts";
import { clientOptions, keepLogin, openSession } from "../../cli/session.ts";
import { SessionError } from "../../cli/session/session_error.ts";
import { UsageError } from "../../cli/args.ts";
import {
  AuthenticationError,
  CollabClient,
  ConnectError,
  nodeHttpClient,
  nodeTransport,
  withPairingCode,
} from "../../client/node.ts";
import { loadLocalConfig } from "../../lib/local_config.ts";
import { readableFingerprint } from "../../local/certificate.ts";
import { localAddresses } from "../../local/networks.ts";
import { createLocalServer, type LocalPlace } from "../../local_server.ts";
import type { LocalServer } from "../../local_server.ts";
import { startServer } from "../support/server.ts";
import { PASSWORD, withSignIn } from "../support/sign_in.ts";

/** Other machines come by an address that is not loopback's; a machine without network has none. */
const isOnNetwork = localAddresses().some(({ scope }) => scope === undefined);
const withoutNetwork = isOnNetwork ? "" : " (skipped: this machine is on no network)";

/** A device: a folder for settings, and what its commands print. */
class Device implements AsyncDisposable {
  readonly notes: string[] = [];
  readonly #results: string[] = [];
  readonly #output = {
    result: (text: string) => void this.#results.push(text),
    note: (text: string) => void this.notes.push(text),
  };

  private constructor(readonly folder: string) {}

  static async make(): Promise<Device> {
    return new Device(await Deno.makeTempDir({ prefix: "parley-device-" }));
  }

  get env(): Record<string, string> {
    return { XDG_CONFIG_HOME: this.folder, USER: "ada" };
  }

  /** No keyring: this machine's own stays as it is. */
  readonly findKey = () => Promise.resolve(undefined);

  async login(args: readonly string[], input = ""): Promise<string> {
    const { findKey } = this;
    const means = { findKey, input: new Blob([input]).stream(), open: this.open };
    await runLogin(args, this.env, this.#output, means);
    return this.#results.pop() as string;
  }

  /** The browser. */
  open: (url: string) => void | Promise<void> = () => {};

  async join(args: readonly string[], ...answers: string[]): Promise<string> {
    const { findKey } = this;
    const ask = () => Promise.resolve(answers.shift());
    const find = () => Promise.resolve(undefined);
    await runJoin(args, this.env, this.#output, { findKey, ask, find });
    return this.#results.pop() as string;
  }

  async servers(...args: readonly string[]): Promise<string> {
    await runServers(args, this.env, this.#output);
    return this.#results.pop() as string;
  }

  async use(...args: readonly string[]): Promise<string> {
    await runUse(args, this.env, this.#output, this.findKey);
    return this.#results.pop() as string;
  }

  async logout(...args: readonly string[]): Promise<string> {
    await runLogout(args, this.env, this.#output, this.findKey);
    return this.#results.pop() as string;
  }

  session(server?: string) {
    return openSession({ server }, this.env, this.findKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A local server as `serve-local` runs it, without multicast. */
async function local(
  act: (place: LocalPlace, server: LocalServer) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "parley-local-" });
  const flags = ["--port", "0", "--data-dir", folder, "--mdns-enabled", "false"];
  await using server = createLocalServer(loadLocalConfig(flags, {}));
  try {
    await act(await server.start(), server);
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

/** Who a session's client is for the server: signed in over its WebSocket. */
async function connectedAs(device: Device, server?: string): Promise<bigint> {
  await using client = await CollabClient.connect(clientOptions(await device.session(server)));
  const { users } = await client.request("GetUsers", { userIds: [client.userId] });
  return users[0]?.id as bigint;
}

Deno.test("[local 8] a device keeps the logins of a remote and of a local server, and changes by one command", async () => {
  await using remote = await startServer();
  await remote.addUser("somebody");
  const user = await remote.addUser("ada");
  await using device = await Device.make();
  await local(async ({ loopbackUrl }) => {
    assertEquals(
      await device.login([remote.url, "--token", "--name", "work"], `${user.id} ${user.token}\n`),
      "Signed in to work as ada",
    );
    assertEquals(
      await device.join([loopbackUrl, "--name", "Ada L"]),
      `Paired with ${new URL(loopbackUrl).host} as ada-l`,
    );
    assertEquals(await connectedAs(device), 1n);
    assertEquals((await device.session()).login, "ada-l");
    assertEquals(await device.use("work"), "Using work as ada");
    assertEquals(await connectedAs(device), BigInt(user.id));
    assertEquals((await device.session()).serverUrl, remote.url);
    // The other one is still there, by name and by address.
    assertEquals(await connectedAs(device, loopbackUrl), 1n);
    await device.use(loopbackUrl);
    assertEquals(await connectedAs(device), 1n);
    const list = JSON.parse(await device.servers("--json"));
    assertEquals(
      list.map(({ name, url, login, userId, current }: Record<string, unknown>) => [
        ...[name, url, login, userId, current],
      ]),
      [
        ["work", remote.url, "ada", user.id, false],
        [new URL(loopbackUrl).host, loopbackUrl, "ada-l", 1, true],
      ],
    );
    assertMatch(await device.servers(), /^ {3}work .*\n\* {2}127\.0\.0\.1:\d+ +ada-l +http:/);
    assertStringIncludes(await device.logout(), "; using work");
    assertEquals((await device.session()).serverUrl, remote.url);
    assertEquals(await device.logout("WORK"), "Signed out of work");
    await assertRejects(() => device.session(), SessionError, "signed in to none");
  });
});

Deno.test({
  name:
    `[local 4a, 8] a server of the network is paired with by its code, and known by its key from then on${withoutNetwork}`,
  ignore: !isOnNetwork,
  fn: async () => {
    await using device = await Device.make();
    await local(async ({ networkUrls, fingerprint, code }, server) => {
      const url = networkUrls.at(-1) as string;
      const text = code?.text as string;
      // Nobody is at the terminal, or he says no: nothing is sent, and the code is good still.
      await assertRejects(() => device.join([url]), UsageError, "give its --fingerprint");
      await assertRejects(
        () => device.join([url, "--code", text], "no"),
        SessionError,
        "Not paired",
      );
      assertStringIncludes(device.notes[0] as string, readableFingerprint(fingerprint as string));
      const wrong = "0".repeat(64);
      await assertRejects(
        () => device.join([url, "--code", text, "--fingerprint", wrong]),
        ConnectError,
        "Cannot trust this server",
      );
      await assertRejects(
        () => device.join([url, "--name", " "], "y", text),
        SessionError,
        "give it with --name",
      );
      assertStringIncludes(await device.join([url], "y", text), "as ada");
      const session = await device.session();
      assertEquals(session.network.pin, fingerprint);
      assertEquals(await connectedAs(device), 1n);
      // The code was good for once; a wrong one is told in the server's words.
      await assertRejects(
        () => device.join([url, "--yes", "--code", text, "--name", "eve"]),
        AuthenticationError,
        "That code is not good",
      );
      await assertRejects(
        () => device.join([url, "--yes", "--code", "AAAA-AAAA"]),
        AuthenticationError,
      );
      assertEquals((await device.session()).credentials, session.credentials);
      // Thrown out by the server's owner.
      const [token] = await server.server.store.accessTokensOf(1);
      assertEquals(token?.label, Deno.hostname());
    });
  },
});

Deno.test({
  name:
    `[local 4a, 8] a paired server is found by its key where it is now, and no other one in its place${withoutNetwork}`,
  ignore: !isOnNetwork,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "parley-local-" });
    const flags = ["--port", "0", "--data-dir", folder, "--mdns-enabled", "false"];
    await using device = await Device.make();
    const start = async () => {
      const server = createLocalServer(loadLocalConfig(flags, {}));
      return { place: await server.start(), server };
    };
    /** What the network announces; of nobody else's key is anything believed. */
    let announced: LocalPlace | undefined;
    const asked: string[] = [];
    const open = () =>
      openSession({}, device.env, device.findKey, (fingerprint) => {
        asked.push(fingerprint);
        if (announced === undefined) return Promise.resolve(undefined);
        const { name, networkUrls: urls } = announced;
        const url = urls.at(-1) as string;
        const [version, pairing] = [null, "code"];
        return Promise.resolve({ name, url, urls, state: "ready", version, fingerprint, pairing });
      });
    try {
      const first = await start();
      const pin = first.place.fingerprint as string;
      const before = first.place.networkUrls.at(-1) as string;
      await device.join([before, "--code", first.place.code?.text as string], "y");
      const { credentials } = await open();
      assertEquals(asked, [], "it is where it was");
      await first.server.stop();
      assertEquals((await open()).serverUrl, before, "it is nowhere");
      await local(async (other) => {
        announced = other;
        assertEquals((await open()).serverUrl, before, "another server with its name");
      });
      const second = await start();
      announced = second.place;
      const now = second.place.networkUrls.at(-1) as string;
      assertNotEquals(now, before);
      const session = await open();
      assertEquals([session.serverUrl, session.network.pin], [now, pin]);
      assertEquals(session.credentials, credentials);
      assertEquals(await connectedAs(device), 1n);
      const asMany = asked.length;
      assertEquals((await open()).serverUrl, now);
      assertEquals([asked.length, asked.every((one) => one === pin)], [asMany, true]);
      assertStringIncludes(await device.servers(), now);
      assertEquals((await device.servers()).includes(before), false);
      await second.server.stop();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("[local 8] logins are sealed, and readable by their owner only", async () => {
  await using server = await startServer();
  const user = await server.addUser("ada");
  await using device = await Device.make();
  await device.login([server.url, "--token"], `${user.id} ${user.token}`);
  const folder = `${device.folder}/parley`;
  const names = await namesIn(folder);
  assertEquals(names, ["lock", "logins", "logins.key", "servers.json"]);
  for (const name of names) {
    assertEquals((await Deno.stat(`${folder}/${name}`)).mode! & 0o777, 0o600, name);
    const text = new TextDecoder().decode(await Deno.readFile(`${folder}/${name}`));
    assertEquals(text.includes(JSON.parse(user.token).token), false);
  }
  assertEquals((await Deno.stat(folder)).mode! & 0o777, 0o700);
  // With a keyring there is no file with a key; a keyring that is locked later is told as such.
  await using other = await Device.make();
  const key = crypto.getRandomValues(new Uint8Array(32));
  const keyring = () => Promise.resolve({ key: () => Promise.resolve(key) });
  const means = { findKey: keyring, input: new Blob([`${user.id} ${user.token}`]).stream() };
  await runLogin([server.url, "--token"], other.env, { result() {}, note() {} }, means);
  assertEquals(
    await namesIn(`${other.folder}/parley`),
    ["lock", "logins", "servers.json"],
  );
  assertEquals((await openSession({}, other.env, keyring)).login, "ada");
  await assertRejects(() => other.session(), SessionError, "cannot be reached; unlock it");
});

Deno.test("[local 8] several commands at the same time lose no login", async () => {
  await using device = await Device.make();
  const urls = [..."abcdefgh"].map((letter) => `https://${letter}.example`);
  await Promise.all(urls.map((url, at) => {
    const server = { name: "work", url, fingerprint: null, userId: at + 1, login: null };
    return keepLogin(server, { userId: at + 1, token: url }, device.env, device.findKey);
  }));
  const list: { name: string; url: string }[] = JSON.parse(await device.servers("--json"));
  assertEquals(list.map(({ url }) => url).sort(), urls);
  assertEquals(new Set(list.map(({ name }) => name)).size, urls.length);
  for (const url of urls) assertEquals((await device.session(url)).credentials.token, url);
});

Deno.test("[local 8] a login that is wrong is told and not kept", async () => {
  await using server = await startServer();
  const user = await server.addUser("ada");
  const other = await server.addUser("eve");
  await using device = await Device.make();
  const refused: [string[], string, new (message: string) => Error, string][] = [
    [[server.url, "--token"], `${user.id} wrong`, SessionError, "knows no such user and token"],
    [[server.url, "--token"], `${other.id} ${user.token}`, SessionError, "knows no such user"],
    [[server.url, "--token"], "no token at all", UsageError, "Cannot read the token"],
    [[server.url, "--token"], `0 ${user.token}`, UsageError, "Cannot read the token"],
    [["parley.example"], "", UsageError, "write the address as https://host"],
    [["http://parley.example"], "", UsageError, "without TLS"],
    [["https://a:b@parley.example"], "", UsageError, "more than scheme, host and path"],
    [["http://127.0.0.1:1", "--token"], "1 x", ConnectError, "Cannot reach 127.0.0.1:1"],
    [[server.url, "--fingerprint", "12"], "", UsageError, "64 hexadecimal digits"],
    [[], "", UsageError, "give one address"],
  ];
  for (const [args, input, type, message] of refused) {
    await assertRejects(() => device.login(args, input), type, message);
  }
  await assertRejects(() => device.session(), SessionError, "signed in to none");
  await assertRejects(() => device.use("work"), SessionError, 'Cannot find the server "work"');
  await assertRejects(() => device.logout(), SessionError);
  await assertRejects(() => device.join(["ship"]), SessionError, 'Cannot find the server "ship"');
  await Deno.mkdir(`${device.folder}/parley`, { recursive: true });
  await Deno.writeTextFile(`${device.folder}/parley/servers.json`, "{}");
  await assertRejects(() => device.servers(), SessionError, "it is damaged");
  await assertRejects(() => openSession({}, {}), SessionError, "no home folder is known");
});

Deno.test("[local 8] what user token --json prints signs in; a second login replaces the first", async () => {
  await using server = await startServer();
  const [ada, eve] = [await server.addUser("ada"), await server.addUser("eve")];
  await using device = await Device.make();
  await device.login([server.url, "--token"], JSON.stringify([ada]) + "\n");
  const first = await device.session();
  assertEquals(
    await device.login([`${server.url}/`, "--token"], JSON.stringify([eve])),
    `Signed in to ${new URL(server.url).host} as eve`,
  );
  assertEquals((await device.session()).login, "eve");
  assertNotEquals((await device.session()).credentials, first.credentials);
  assertEquals(JSON.parse(await device.servers("--json")).length, 1);
});

Deno.test("[issue 8 pairing] a pairing code is one of the library's ways to sign in", async () => {
  await local(async ({ loopbackUrl: serverUrl }) => {
    const network = { environment: () => undefined };
    await using client = await CollabClient.connect({
      serverUrl,
      transport: nodeTransport(network),
      http: nodeHttpClient(network),
      signIn: withPairingCode({ name: "Grace", device: "test" }),
    });
    assertEquals(client.userId, 1n);
  });
});

Deno.test("[local 8] whoever cannot get in hears so before anything is asked", async () => {
  await using device = await Device.make();
  device.open = () => Promise.reject(new Error("No browser is wanted"));
  await assertRejects(() => device.login(["http://127.0.0.1:1"]), ConnectError, "127.0.0.1:1");
  const nobody = { XDG_CONFIG_HOME: device.folder };
  const output = { result: () => {}, note: () => {} };
  await assertRejects(
    () => runJoin(["http://127.0.0.1:1"], nobody, output, { findKey: device.findKey }),
    UsageError,
    "give it with --name",
  );
});

Deno.test("[local 8] without a token the browser signs in, and the login lasts", async () => {
  await withSignIn({}, async (server, browser) => {
    await using device = await Device.make();
    device.open = async (address) => {
      const url = new URL(address);
      const page = await browser.open(url.pathname + url.search);
      const next = await browser.submit(page.forms[0]!, { login: "ann", password: PASSWORD });
      const answer = await fetch(next.location!, { redirect: "manual" });
      await answer.body?.cancel();
    };
    const kept = JSON.parse(await device.login([server.url, "--json"]));
    assertEquals([kept.login, kept.fingerprint, kept.url], ["ann", null, server.url]);
    assertEquals(await connectedAs(device), BigInt(kept.userId));
  });
});
