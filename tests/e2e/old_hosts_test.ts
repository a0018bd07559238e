/** Requests that the one who is asked may be too old to know: it would never answer. */
import { assertEquals, assertMatch } from "@std/assert";
import type { MessageName, MessageTypes } from "../../proto/mod.ts";
import { routes } from "../../rpc/routes.ts";
import { errorOf, payloadFor, tagOf } from "../support/payload.ts";
import { Scene } from "../support/scene.ts";
import { settle } from "../support/test_peer.ts";

/** What guests ask of hosts, and what came after June 2025 of it. */
const asked = routes.filter(({ treatment }) => treatment.startsWith("ask host"));
const later: readonly MessageName[] = [
  ...asked.filter((route) => route.later).map(({ message }) => message),
  "LspQuery",
];

Deno.test("[transport 10.3a, 10.4.2, 2.5.5] a host of June 2025 is not asked what came later: one Error, for streams too, and all else is asked", async () => {
  await using scene = await Scene.open({ peer: { version: "0.191.0" } });
  const { host, guest, projectId } = scene;
  assertEquals(later.filter((name) => name === "SearchCommits" || name === "LspQuery").sort(), [
    "LspQuery",
    "SearchCommits",
  ]);
  for (const name of later) {
    const id = guest.sendEncoded(tagOf(name), payloadFor(projectId));
    const error = errorOf(await guest.answer(id));
    assertEquals(error.code, 0);
    assertMatch(error.message, new RegExp(`Zed 0\\.191\\.0, .*does not know the request ${name}$`));
  }
  assertEquals(await scene.told(host), []);
  assertEquals(guest.received.filter(({ name }) => name === "EndStream"), []);
  for (const { message } of asked.filter((route) => !route.later)) {
    guest.sendEncoded(tagOf(message), payloadFor(projectId));
    await host.next(message);
  }
});

Deno.test("[transport 10.4.2, 2.5.5] a host between the years gets a minute for what it may not know, and every other request as long as it takes", async () => {
  await using scene = await Scene.open({ peer: { version: "0.205.4" } });
  const { clock, host, guest, projectId } = scene;
  const silent = guest.send("LspQuery", { projectId, getHover: {} });
  const stream = guest.send("SearchCommits", { projectId });
  const begun = guest.send("SearchCommits", { projectId });
  const old = guest.send("GetHover", { projectId });
  const quick = guest.send("GetDefaultBranch", { projectId });
  const query = await host.next("LspQuery");
  await host.next("SearchCommits");
  const flowing = await host.next("SearchCommits");
  const hover = await host.next("GetHover");
  host.reply(flowing, "SearchCommitsResponse", { shas: ["a"] });
  host.reply(await host.next("GetDefaultBranch"), "GetDefaultBranchResponse", {});
  await guest.answer(quick);
  await settle(host, guest);
  clock.advance(59_999);
  await settle(guest, host);
  assertEquals([silent, stream, old].flatMap((id) => guest.answers(id)), []);
  clock.advance(1);
  for (const id of [silent, stream]) {
    assertMatch(errorOf(await guest.answer(id)).message, /Zed 0\.205\.4, .*does not know/);
  }
  // It knew it after all, too late; what had begun goes on.
  host.reply(query, "Ack", {});
  host.reply(flowing, "SearchCommitsResponse", { shas: ["b"] });
  host.reply(flowing, "EndStream", {});
  host.reply(hover, "GetHoverResponse", {});
  assertEquals((await guest.answer(old)).name, "GetHoverResponse");
  await settle(host, guest);
  assertEquals(guest.answers(silent).length, 1);
  assertEquals(guest.answers(quick).map(({ name }) => name), ["GetDefaultBranchResponse"]);
  assertEquals(guest.answers(begun).map(({ name }) => name), [
    "SearchCommitsResponse",
    "SearchCommitsResponse",
    "EndStream",
  ]);
});

Deno.test("[transport 2.5.5] a stream of a project that is not there is a single Error", async () => {
  await using scene = await Scene.open();
  const { guest } = scene;
  for (const name of ["SearchCommits", "GetInitialGraphData"] as const) {
    const id = guest.send(name, { projectId: 999n });
    await guest.answer(id);
    await settle(guest);
    assertEquals(guest.answers(id).map((one) => one.name), ["Error"]);
    assertMatch(
      (guest.answers(id)[0]?.value as MessageTypes["Error"]).message,
      /no such project/,
    );
  }
});
