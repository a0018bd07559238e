/** The start of a Zed of June 2025, request by request. [transport 0.1] */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { callTogether } from "../support/call.ts";
import { Editor } from "../support/editor.ts";
import { statusOf } from "../support/http.ts";
import { withSignIn } from "../support/sign_in.ts";
import type { TestPeer } from "../support/test_peer.ts";

const VERSION = "0.191.0";

/** What it sends once connected; all at once. [transport 3.9] */
async function loadAccount(peer: TestPeer, login: string): Promise<void> {
  const [info, { users }, notifications, llm] = await Promise.all([
    peer.call("GetPrivateUserInfo", {}),
    peer.call("GetUsers", { userIds: [peer.userId] }),
    peer.call("GetNotifications", {}),
    peer.ask("GetLlmToken", {}),
  ]);
  assertMatch(info.metricsId, /^[0-9a-f-]{36}$/);
  assertEquals(users.map(({ id, githubLogin, username }) => [id, githubLogin, username]), [
    [peer.userId, login, login],
  ]);
  assertEquals(notifications.done, true);
  assertEquals(llm.name, "Error");
  peer.send("SubscribeToChannels", {});
  await peer.next("UpdateChannels");
}

Deno.test("[transport 0.1, 0.4, 2.9, 3.9, 9.1, 10.7] from server_url to a joined project, 2025", async () => {
  await withSignIn({}, async (server) => {
    const zed = new Editor(server.url, "ann", VERSION);

    // No stored login: the browser, with the parameters of that year.
    const { id } = await zed.signInWithBrowser("&impersonate=");
    assertEquals(id, (await server.addUser("ann")).id);

    // It connects at once, whoever the user is.
    await using peer = await zed.connect();
    await peer.settle();
    const names = peer.received.map(({ name }) => name);
    assertEquals(names.slice(0, 4), ["Hello", "ShowContacts", "UpdateUserPlan", "UpdateContacts"]);
    await loadAccount(peer, "ann");

    // Beside it: updates, extensions, telemetry. [transport 7.1.6, 7.2.1, 7.4]
    const release = await zed.fetch("/api/releases/latest?asset=zed&os=macos&arch=aarch64");
    assertEquals(await release.json(), { version: "0.0.0", url: "" });
    assertEquals(await statusOf(zed.fetch("/extensions/html/download?max_schema_version=1")), 404);
    const updates = await zed.fetch(
      "/extensions/updates?min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.1&max_wasm_api_version=0.7.0&ids=html",
    );
    assertEquals(await updates.json(), { data: [] });
    assertEquals(
      await statusOf(zed.fetch("/telemetry/events?", { method: "POST", body: {} })),
      200,
    );
    assertEquals(await statusOf(zed.fetch("/telemetry/panics", { method: "POST", body: {} })), 200);

    // Together with somebody else in a project.
    const other = new Editor(server.url, "root", VERSION);
    await other.signInWithBrowser();
    await using guest = await other.connect("?preview=1");
    await loadAccount(guest, "root");
    const roomId = await callTogether(peer, guest);
    const { projectId } = await peer.call("ShareProject", { roomId, worktrees: [] });
    const { collaborators } = await guest.call("JoinProject", { projectId });
    assertEquals(collaborators.map(({ userId }) => userId), [peer.userId]);
  });
});

Deno.test("[transport 3.3, 0.1] the second start needs no browser; a revoked login opens it again, 2025", async () => {
  await withSignIn({}, async (server) => {
    const zed = new Editor(server.url, "ann", VERSION);
    await zed.signInWithBrowser();
    await (await zed.connect()).close();

    await using second = await zed.connect();
    await second.settle();
    const names = second.received.map(({ name }) => name);
    assertEquals(names.slice(0, 3), ["Hello", "UpdateUserPlan", "UpdateContacts"]);

    await server.server.store.removeAccessTokens(zed.stored!.id);
    const refused = await assertRejects(() => zed.connect());
    assertMatch(String(refused), /401|Unauthorized|credentials|sign in/i);
    const before = zed.stored!.token;
    // The browser is still signed in: one click.
    await zed.signInWithBrowser();
    assert(zed.stored!.token !== before);
    await using again = await zed.connect();
    await loadAccount(again, "ann");
  });
});

Deno.test("[transport 4.3.2, 5.2.2] a developer's Zed of June 2025 signs in without a browser", async () => {
  await withSignIn({ flags: ["--api-token", "hunter2"] }, async (server) => {
    const zed = new Editor(server.url, "ann", VERSION);
    const answer = await zed.fetch(
      "/user?github_login=ann&github_user_id=7&github_user_created_at=2020-01-01T00%3A00%3A00Z",
      { as: "token hunter2" },
    );
    const { user } = await answer.json();
    zed.stored = { id: user.id, token: "ADMIN_TOKEN:hunter2" };
    await using peer = await zed.connect();
    await loadAccount(peer, "ann");
  });
});
