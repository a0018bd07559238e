import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { MAX_TICKETS, SocketTickets, TICKET_LIFE } from "../../http/socket_tickets.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { startServer, type TestServer, type TestUser } from "../support/server.ts";

const ORIGIN = "https://app.example";

function headersOf({ id, token }: TestUser, more: Record<string, string> = {}) {
  return {
    "authorization": `${id} ${token}`,
    "x-zed-protocol-version": "68",
    "x-zed-app-version": "1.0.0",
    "origin": ORIGIN,
    ...more,
  };
}

async function askTicket(server: TestServer, headers: Record<string, string>) {
  const response = await fetch(`${server.url}/client/socket_tickets`, { method: "POST", headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

/** How a handshake with a ticket and nothing else is answered. */
async function handshake(server: TestServer, ticket: string): Promise<string> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/rpc?ticket=${ticket}`);
  socket.binaryType = "arraybuffer";
  const outcome = await new Promise<string>((resolve) => {
    socket.onmessage = () => resolve("hello");
    socket.onerror = (event) => {
      event.preventDefault();
      resolve((event as ErrorEvent).message);
    };
  });
  if (outcome === "hello") {
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
  }
  return outcome;
}

Deno.test("[transport 11.2] a page gets a ticket for the headers that it cannot set, good once", async () => {
  await using server = await startServer({
    flags: ["--web-origins", `${ORIGIN}, http://other:81`],
  });
  const user = await server.addUser("ann");
  const answer = await askTicket(server, headersOf(user));
  assertEquals(answer.status, 200);
  assertEquals(answer.headers.get("access-control-allow-origin"), ORIGIN);
  assertEquals(answer.headers.get("access-control-allow-credentials"), null);
  const { ticket } = JSON.parse(answer.text);
  assertMatch(ticket, /^[\w-]{43}$/);
  assertEquals(await handshake(server, ticket), "hello");
  assertMatch(await handshake(server, ticket), /401/);
  assertMatch(await handshake(server, "made-up"), /401/);

  // Refused with the statuses of the handshake, which the page could not see there.
  const bad = (more: Record<string, string>) => askTicket(server, headersOf(user, more));
  assertEquals((await bad({ authorization: `${user.id} wrong` })).status, 401);
  assertEquals((await bad({ "x-zed-protocol-version": "67" })).status, 426);
  assertEquals((await bad({ "x-zed-app-version": "0.100.0" })).status, 426);

  // A token that is revoked meanwhile takes its tickets along.
  const late = JSON.parse((await askTicket(server, headersOf(user))).text).ticket;
  await server.server.store.removeAccessTokens(user.id);
  assertMatch(await handshake(server, late), /401/);
});

Deno.test("[transport 11.2] only pages of named origins may ask, and only for the account's paths", async () => {
  const question = (url: string, origin: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  await using server = await startServer({ flags: ["--web-origins", ORIGIN] });
  const yes = await question(`${server.url}/client/users/me`, ORIGIN);
  assertEquals(yes.status, 204);
  assertEquals(yes.headers.get("access-control-allow-origin"), ORIGIN);
  assertMatch(yes.headers.get("access-control-allow-headers")!, /authorization/);
  for (
    const [path, origin] of [
      ["/client/users/me", "https://evil.example"],
      ["/client/users/me", "null"],
      ["/admin/users", ORIGIN],
      ["/native_app_signin", ORIGIN],
    ] as const
  ) {
    const no = await question(`${server.url}${path}`, origin);
    await no.body?.cancel();
    assertNotEquals(no.status, 204, path);
    assertEquals(no.headers.get("access-control-allow-origin"), null, path);
  }
  await using shut = await startServer();
  const no = await question(`${shut.url}/client/users/me`, ORIGIN);
  await no.body?.cancel();
  assertEquals(no.headers.get("access-control-allow-origin"), null);
});

Deno.test("[transport 11.2] [transport 6.3.3] a ticket of the part without connections is good at the other part", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "parley-tickets-" });
  try {
    await using collab = await startServer({ dataDir, flags: ["--mode", "collab"] });
    await using api = await startServer({
      dataDir,
      flags: ["--mode", "api", "--collab-url", collab.url, "--web-origins", ORIGIN],
    });
    const answer = await askTicket(api, headersOf(await collab.addUser("ann")));
    assertEquals(answer.status, 200, answer.text);
    assertEquals(answer.headers.get("access-control-allow-origin"), ORIGIN);
    assertEquals(await handshake(collab, JSON.parse(answer.text).ticket), "hello");
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("[transport 11.2] tickets end after 30 s, and only so many wait", () => {
  const clock = new FakeClock();
  const tickets = new SocketTickets(clock);
  const headers = new Headers({ "authorization": "1 a", "cookie": "x", "origin": "y" });
  const first = tickets.issue(headers)!;
  clock.advance(TICKET_LIFE);
  assertEquals(tickets.redeem(first), undefined);
  const second = tickets.issue(headers)!;
  clock.advance(TICKET_LIFE - 1);
  assertEquals([...tickets.redeem(second)!], [["authorization", "1 a"]]);
  for (let index = 0; index < MAX_TICKETS; index++) tickets.issue(headers);
  assertEquals(tickets.issue(headers), undefined);
  clock.advance(TICKET_LIFE);
  assertEquals(typeof tickets.issue(headers), "string");
});
