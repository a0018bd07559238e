import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type ClientOptions, CollabClient } from "../../client/collab_client.ts";
import { type StatusName } from "../../client/connection/status.ts";
import {
  CanceledError,
  ConnectError,
  ConnectionClosedError,
  RequestError,
} from "../../client/errors.ts";
import { fetchClient } from "../../client/http/fetch_client.ts";
import type { HttpClient, HttpRequest } from "../../client/http/http_client.ts";
import { Room } from "../../client/room.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { FlakyNetwork } from "../support/flaky_network.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Writes down what is asked. */
class Watched implements HttpClient {
  readonly asked: { readonly url: string; readonly request: HttpRequest }[] = [];
  readonly #http = fetchClient();

  request(url: string, request: HttpRequest = {}): Promise<Response> {
    this.asked.push({ url, request });
    return this.#http.request(url, request);
  }

  close(): void {}

  /** Questions for one path. */
  at(path: string): HttpRequest[] {
    return this.asked.filter(({ url }) => new URL(url).pathname === path).map((one) => one.request);
  }
}

async function optionsAt(server: TestServer, login = "ann"): Promise<ClientOptions> {
  const { id, token } = await server.addUser(login);
  return {
    serverUrl: server.url,
    transport: denoTransport,
    credentials: { userId: id, token },
  };
}

function watch(client: CollabClient): StatusName[] {
  const names: StatusName[] = [];
  client.onStatus(({ name }) => void names.push(name));
  return names;
}

Deno.test("[transport 1.1.1] an explicit address skips the question, and must be http or https", async () => {
  await using server = await startServer();
  const http = new Watched();
  const options = { ...await optionsAt(server), http };
  await using client = await CollabClient.connect({ ...options, rpcUrl: `${server.url}/rpc` });
  assertEquals([client.status.name, http.at("/rpc")], ["Connected", []]);
  const rpcUrl = `${server.url.replace("http", "ws")}/rpc`;
  await assertRejects(() => CollabClient.connect({ ...options, rpcUrl }), ConnectError, "scheme");
});

Deno.test("[transport 1.1.3, 1.1.9] each attempt asks anew, without credentials, and follows nothing", async () => {
  await using server = await startServer();
  const http = new Watched();
  const network = new FlakyNetwork(denoTransport);
  const options = { ...await optionsAt(server), http, transport: network, notices: false };
  await using client = await CollabClient.connect(options);
  await client.reconnect();
  network.cut();
  await waitUntil(() => client.status.name === "ReconnectionError");
  network.isUp = true;
  await client.reconnect();
  const asked = http.at("/rpc");
  assertEquals(asked.length, network.attempts);
  assert(asked.length >= 4, `${asked.length}`);
  for (const { headers = {}, redirects, body } of asked) {
    assertEquals([Object.keys(headers), redirects, body], [[], 0, undefined]);
  }
});

Deno.test("[transport 3.4.3] a sign-in connects staff only, and not where that is switched off", async () => {
  await using plain = await startServer();
  await using client = new CollabClient(await optionsAt(plain));
  const names = watch(client);
  await client.connection.signIn();
  await waitUntil(() => client.connection.account.user !== undefined);
  assertEquals(names, ["Authenticating", "Authenticated"]);
  assertEquals(plain.server.actors.registry.connections.size, 0);
  await client.connection.connect();
  assertEquals(names.slice(2), ["Reauthenticating", "Connecting", "Connected"]);

  await using staffed = await startServer({ flags: ["--staff", "all"] });
  await using staff = new CollabClient(await optionsAt(staffed));
  const staffNames = watch(staff);
  await staff.connection.signIn();
  await waitUntil(() => staff.status.name === "Connected");
  assertEquals(staffNames, ["Authenticating", "Authenticated", "Connected"]);
  await using modest = new CollabClient({ ...await optionsAt(staffed), disableStaff: true });
  await modest.connection.signIn();
  await waitUntil(() => modest.connection.account.user?.isStaff);
  assertEquals(modest.status.name, "Authenticated");
});

Deno.test("[transport 3.6.3] a loss clears the contacts, a sign-out the account as well", async () => {
  await using server = await startServer();
  const network = new FlakyNetwork(denoTransport);
  const ann = await server.client("ann", { transport: network });
  const bob = await server.client("bob");
  await server.befriend(ann, bob);
  await waitUntil(() => ann.contacts.all.size === 1 && ann.connection.account.user);
  network.cut();
  await waitUntil(() => ann.status.name === "ReconnectionError");
  assertEquals(ann.contacts.all.size, 0);
  network.isUp = true;
  await ann.reconnect();
  await waitUntil(() => ann.contacts.all.size === 1 && ann.connection.account.user);
  await ann.connection.signOut();
  assertEquals([ann.contacts.all.size, ann.connection.account.user], [0, undefined]);
  assertEquals(ann.connection.account.organization, undefined);
});

Deno.test("[transport 3.8.4] another address at run time means another connection", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using client = await CollabClient.connect(await optionsAt(one));
  const { id, token } = await two.addUser("ann");
  assertEquals(id, Number(client.userId));
  client.connection.useServer(two.url);
  // The old login is invalid there, and so is what the program was given: nobody gets in with it.
  await waitUntil(() => client.status.name === "ReconnectionError");
  assertEquals(two.server.actors.registry.connections.size, 0);
  assert(token.length > 0);
  client.connection.useServer(one.url);
  await client.reconnect();
  assertEquals(client.status.name, "Connected");
});

Deno.test("[transport 3.10.2] a client in a room takes its seat again; signed out, it gives it up", async () => {
  await using server = await startServer();
  const network = new FlakyNetwork(denoTransport);
  const ann = await server.client("ann", { transport: network });
  const room = await Room.create(ann);
  const before = ann.peerId;
  network.drop();
  await waitUntil(() => ann.status.name === "Connected" && ann.peerId !== before);
  await ann.connection.rejoining.settled();
  assertEquals(room.participants.map(({ peerId }) => peerId), [ann.peerId]);

  network.cut();
  await waitUntil(() => ann.status.name === "ReconnectionError");
  await ann.connection.signOut();
  assertEquals(await room.left, "signed out");
  await assertRejects(() => room.until(() => false), Error, "The room was left: signed out");
});

Deno.test("[transport 12.10] at a loss requests fail before the statuses tell", async () => {
  await using server = await startServer();
  const network = new FlakyNetwork(denoTransport);
  const client = await server.client("ann", { transport: network });
  const order: string[] = [];
  const pending = client.request("GetUsers", { userIds: [1n] }).catch((error) => {
    assertInstanceOf(error, ConnectionClosedError);
    order.push("request failed");
  });
  client.onStatus(({ name }) => void order.push(name));
  network.cut();
  await waitUntil(() => order.includes("ConnectionLost"));
  await pending;
  assertEquals(order.slice(0, 2), ["request failed", "ConnectionLost"]);
});

Deno.test("[transport 12.9] an error has the name and number of its code, its tags, its request", async () => {
  await using server = await startServer();
  const client = await server.client("ann");
  const error = await assertRejects(() => client.request("JoinRoom", { id: 99n }), RequestError);
  assertEquals([error.request, typeof error.code], ["JoinRoom", "number"]);
  assert(error.codeName !== undefined && error.message.startsWith("RPC request JoinRoom failed: "));
  const tagged = new RequestError("X", 9, "no", ["direction=parent"]);
  assertEquals([tagged.codeName, tagged.tag("direction")], ["BadPublicNesting", "parent"]);
  assertEquals([tagged.hasTag("direction", "parent"), tagged.hasTag("direction", "x")], [
    true,
    false,
  ]);
});

Deno.test("[transport 3.1] statuses come as an iterator too, and end with the client", async () => {
  await using server = await startServer();
  const client = new CollabClient(await optionsAt(server));
  const seen: StatusName[] = [];
  const reading = (async () => {
    for await (const { name } of client.statuses()) seen.push(name);
  })();
  await client.connection.connect();
  const early = client.connection.connect();
  await early;
  await client.drain();
  await reading;
  assertEquals(seen, ["SignedOut", "Authenticating", "Connecting", "Connected", "SignedOut"]);
  await assertRejects(() => client.connection.connect(), ConnectionClosedError);
  const idle = new CollabClient(await optionsAt(server));
  await assertRejects(() => idle.connection.reconnect(), CanceledError, "nobody is signed in");
  idle.close();
});
