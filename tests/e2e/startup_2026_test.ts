/** The start of a Zed of 2026, request by request. [transport 0.2] */
import { assertEquals, assertMatch } from "@std/assert";
import { openSqlite } from "../../db/sqlite/open.ts";
import { readRunningServer } from "../../http/running_server.ts";
import { callTogether } from "../support/call.ts";
import { Editor } from "../support/editor.ts";
import { failingStore } from "../support/failing_store.ts";
import { statusOf } from "../support/http.ts";
import { withSignIn } from "../support/sign_in.ts";
import type { TestServer } from "../support/server.ts";
import type { TestPeer } from "../support/test_peer.ts";

const VERSION = "1.10.0+stable.4711.0123456789abcdef0123456789abcdef01234567";
const SYSTEM_ID = "5e8b6a3e-6d2f-4b51-9d3b-2f4a3a0f5d11";
const FEATURES = ["new-style-anchors"];

/** The account, as at every change of status. [transport 3.6.1] */
async function loadAccount(zed: Editor) {
  const answer = await zed.ask("/client/users/me", {
    headers: { "x-zed-system-id": SYSTEM_ID, "content-type": "application/json" },
  });
  assertEquals(answer.status, 200);
  const account = await answer.json();
  assertEquals([account.user.id, account.user.username], [zed.stored!.id, zed.login]);
  return account;
}

/** Waits for notices as Zed does; each one resolves the next promise. [transport 3.7] */
function listenForNotices(zed: Editor) {
  const { id, token } = zed.stored!;
  const socket = new WebSocket(`${zed.serverUrl.replace("http", "ws")}/client/users/connect`, {
    headers: { authorization: `${id} ${token}`, "x-zed-protocol-version": "0" },
  });
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const notices: string[] = [];
  let notify = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onclose = () => closed.resolve();
  socket.onerror = () => opened.reject(new Error("The notices' WebSocket was refused"));
  socket.onmessage = ({ data }) => {
    const bytes = new Uint8Array(data as ArrayBuffer);
    assertEquals(bytes[0]! & 0xe0, 0x60, "a CBOR text");
    notices.push(new TextDecoder().decode(bytes.subarray(1)));
    notify.resolve();
    notify = Promise.withResolvers();
  };
  return {
    opened: opened.promise,
    notices,
    next: () => notify.promise,
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed.promise;
    },
  };
}

/** What it sends once connected. [transport 3.9] */
async function loadCollaboration(peer: TestPeer): Promise<void> {
  const { users } = await peer.call("GetUsers", { userIds: [peer.userId] });
  assertEquals(users.length, 1);
  assertEquals((await peer.call("GetNotifications", {})).done, true);
  peer.send("SubscribeToChannels", {});
  await peer.next("UpdateChannels");
}

/** Changes an account as the operator's command line does. */
async function changeAccount(server: TestServer, login: string, change: unknown): Promise<void> {
  const running = (await readRunningServer(server.dataDir))!;
  const answer = await fetch(`${running.url}/internal/admin/users/${login}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${running.adminSecret}` },
    body: JSON.stringify(change),
  });
  assertEquals(await answer.json(), { id: (await server.addUser(login)).id, login });
}

Deno.test("[transport 0.2, 0.4, 2.9, 3.4.7, 3.7.4, 3.9, 9.2, 10.7] from server_url to a joined project, 2026", async () => {
  await withSignIn({}, async (server) => {
    const zed = new Editor(server.url, "ann", VERSION);
    await zed.signInWithBrowser(`&system_id=${SYSTEM_ID}`);

    // Authenticated: the account, then the notices. Not staff, so no collaboration yet.
    const account = await loadAccount(zed);
    assertEquals([account.user.is_staff, account.user.has_connected_to_collab_once], [
      false,
      false,
    ]);
    await using notices = listenForNotices(zed);
    await notices.opened;

    // What runs beside it.
    const release = await zed.fetch(
      "/releases/stable/latest/asset?asset=zed&os=macos&arch=aarch64&is_staff=false",
    );
    assertEquals(await release.json(), { version: "0.0.0", url: "" });
    const updates = await zed.fetch(
      "/extensions/updates?min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.1&max_wasm_api_version=0.7.0&ids=html",
    );
    assertEquals(await updates.json(), { data: [] });
    assertEquals(await statusOf(zed.ask("/client/llm_tokens", { method: "POST", body: {} })), 403);
    assertEquals(
      await statusOf(zed.fetch("/telemetry/events?", { method: "POST", body: {} })),
      200,
    );

    // The button "Connect": validation, discovery, the WebSocket, the account again.
    assertEquals(await statusOf(zed.ask("/client/users/me")), 200);
    await using peer = await zed.connect();
    await peer.settle();
    assertEquals(peer.received[0]!.name, "Hello");
    assertEquals(peer.received.some(({ name }) => name === "UpdateContacts"), true);
    await loadCollaboration(peer);
    assertEquals((await loadAccount(zed)).user.has_connected_to_collab_once, true);

    // The operator changes the account: the editor hears of it and loads it again.
    const noticed = notices.next();
    await changeAccount(server, "ann", { name: "Ann A." });
    await noticed;
    assertEquals(notices.notices, ["UserUpdated"]);
    assertEquals((await loadAccount(zed)).user.name, "Ann A.");
    const { users } = await peer.call("GetUsers", { userIds: [peer.userId] });
    assertEquals(users[0]!.name, "Ann A.");

    // Together with somebody else in a project.
    const other = new Editor(server.url, "root", VERSION);
    await other.signInWithBrowser(`&system_id=${SYSTEM_ID}`);
    await using guest = await other.connect();
    await loadCollaboration(guest);
    const roomId = await callTogether(peer, guest);
    const { projectId } = await peer.call("ShareProject", {
      roomId,
      worktrees: [],
      features: FEATURES,
    });
    const { collaborators } = await guest.call("JoinProject", { projectId, features: FEATURES });
    assertEquals(collaborators.map(({ userId }) => userId), [peer.userId]);
  });
});

Deno.test("[transport 3.4, 3.6, T4, 5.5] a stored login is valid, unknown or not to be had, 2026", async () => {
  const wrapped = failingStore(await openSqlite({ path: ":memory:" }));
  try {
    await withSignIn({ parts: { store: wrapped.store } }, async (server) => {
      const zed = new Editor(server.url, "ann", VERSION);
      await zed.signInWithBrowser();
      const validate = () => statusOf(zed.ask("/client/users/me"));
      assertEquals(await validate(), 200);

      // A short outage keeps the login: nothing may answer 401.
      wrapped.away = true;
      assertEquals(await validate(), 503);
      wrapped.away = false;
      assertEquals(await validate(), 200);

      // Revoked: 401, and the editor opens the browser.
      await server.server.store.removeAccessTokens(zed.stored!.id);
      assertEquals(await validate(), 401);
      await zed.signInWithBrowser();
      assertEquals(await validate(), 200);
      await using peer = await zed.connect();
      await loadCollaboration(peer);
    });
  } finally {
    await wrapped.store.close();
  }
});

Deno.test("[transport 3.4.6, 3.4.3] a server that calls everybody staff lets them connect by themselves, 2026", async () => {
  await withSignIn({ flags: ["--staff", "all"] }, async (server) => {
    const zed = new Editor(server.url, "ann", VERSION);
    await zed.signInWithBrowser();
    const { user, feature_flags } = await loadAccount(zed);
    assertEquals([user.is_staff, feature_flags], [true, []]);
    await using peer = await zed.connect("?nightly=1");
    assertMatch(peer.received[0]!.name, /^Hello$/);
    const info = await peer.call("GetPrivateUserInfo", {});
    assertEquals(info.flags, []);
  });
});
