/** Users as clients see them. [channels 2] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import type { TestPeer } from "../support/test_peer.ts";

async function logins(peer: TestPeer, query: string): Promise<string[]> {
  const { users } = await peer.call("FuzzySearchUsers", { query });
  return users.map(({ githubLogin }) => githubLogin);
}

Deno.test("[channels 2.2, 2.3] [transport 3.9.2, T13] a user has id, login, user name and picture for both years", async () => {
  await using server = await startServer();
  const a = await server.raw("a");
  const { users } = await a.call("GetUsers", { userIds: [a.userId] });
  const [user] = users;
  assertEquals([user?.id, user?.githubLogin, user?.username, user?.name], [
    a.userId,
    "a",
    "a",
    undefined,
  ]);
  const picture = await fetch(user?.avatarUrl as string);
  assertEquals([picture.status, picture.headers.get("content-type")], [200, "image/png"]);
  assertEquals((await picture.bytes()).slice(1, 4), new TextEncoder().encode("PNG"));
});

Deno.test("[channels 2.3, 18a] unknown ids are missing, repeated ones collapse, too many are refused", async () => {
  await using server = await startServer();
  const a = await server.raw("a");
  const b = await server.addUser("b");
  const ids = async (userIds: bigint[]) =>
    (await a.call("GetUsers", { userIds })).users.map(({ id }) => id).sort();
  const known = [a.userId, BigInt(b.id)];
  assertEquals(await ids([]), []);
  assertEquals(await ids([...known, ...known, 0n, 99n]), known);
  assertEquals(await ids([(1n << 64n) - 1n, 1n << 63n, 1n << 53n, (1n << 32n) + a.userId]), []);
  const many = Array.from({ length: 9_999 }, (_, index) => BigInt(index + 1));
  assertEquals(await ids(many), known);
  assertEquals((await a.ask("GetUsers", { userIds: [...many, 10_000n] })).name, "Error");
});

Deno.test("[channels 2.4] a search: nothing, the exact login, or ten by likeness, without the searcher", async () => {
  await using server = await startServer();
  const all = ["California", "colorado", "oregon", "washington", "florida", "delaware"];
  for (const login of [...all, "rhode-island", "ab", "AB2"]) await server.addUser(login);
  const a = await server.raw("ca");
  assertEquals(await logins(a, ""), []);
  assertEquals(await logins(a, "ab"), ["ab"]);
  assertEquals(await logins(a, "AB"), []);
  assertEquals(await logins(a, "ca"), []);
  assertEquals(await logins(a, "clr"), ["colorado", "California"]);
  for (let index = 0; index < 12; index++) await server.addUser(`twin-${index}`);
  assertEquals((await logins(a, "twin")).length, 10);
  const twin = await server.raw("twin-0");
  const others = await logins(twin, "twin-0");
  assertEquals(others.includes("twin-0"), false);
  assertEquals(await logins(a, "%%%"), await logins(a, "___"));
  assertEquals(await logins(a, "x".repeat(5_000)), []);
});

Deno.test("[channels 2.8] [rooms 4.7] [transport 3.9.1] clients of 2025 get their private data", async () => {
  await using server = await startServer({ flags: ["--staff", "admins"] });
  await server.addUser("boss", { admin: true });
  const boss = await server.raw("boss", { version: "0.191.0" });
  const mine = await boss.call("GetPrivateUserInfo", {});
  assertEquals([mine.staff, mine.flags], [true, []]);
  assertEquals(/^[0-9a-f-]{36}$/.test(mine.metricsId), true);
  const a = await server.raw("a", { version: "0.191.0" });
  const other = await a.call("GetPrivateUserInfo", {});
  assertEquals(other.staff, false);
  assertEquals(other.metricsId === mine.metricsId, false);
});

Deno.test("[channels 2.5] [rooms 4.2b] contacts are shown on the first connection of a life, not on the next start either", async () => {
  await using server = await startServer();
  const first = await server.raw("a");
  await first.settle();
  assertEquals(first.received.map(({ name }) => name), ["Hello", "ShowContacts", "UpdateContacts"]);
  const second = await server.raw("a");
  await second.settle();
  assertEquals(second.received.map(({ name }) => name), ["Hello", "UpdateContacts"]);
  await server.restart();
  const third = await server.raw("a");
  await third.settle();
  assertEquals(third.received.map(({ name }) => name), ["Hello", "UpdateContacts"]);
});
