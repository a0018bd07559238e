import { assert, assertEquals, assertMatch } from "@std/assert";
import { openSqlite } from "../../db/sqlite/open.ts";
import type { Store } from "../../db/store.ts";
import { endpoints } from "../../http/api/endpoints.ts";
import { documentPath } from "../../http/api/open_api.ts";
import { routes } from "../../http/route_table.ts";
import { run } from "../../scripts/gen_admin_api_docs.ts";
import { AdminApi } from "../support/admin_api.ts";
import { Browser } from "../support/browser.ts";
import { callTogether } from "../support/call.ts";
import { manifestOf, packageOf } from "../support/extension_package.ts";
import { askAt, statusOf } from "../support/http.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { PASSWORD, withSignIn } from "../support/sign_in.ts";
import { TestPeer } from "../support/test_peer.ts";

const flags = ["--api-token", "hunter2"];
const FEATURES = ["new-style-anchors"];

async function withApi(
  body: (api: AdminApi, server: TestServer) => Promise<void>,
): Promise<void> {
  await using server = await startServer({ flags });
  await body(await AdminApi.open(server.url), server);
}

/** Two users in a call, the first of whom shares a project that the second has joined. */
async function sharing(server: TestServer) {
  const [ann, bob] = [await server.raw("ann"), await server.raw("bob")];
  const roomId = await callTogether(ann, bob);
  const { projectId } = await ann.call("ShareProject", {
    roomId,
    worktrees: [{ id: 1n, rootName: "app", visible: true, absPath: "/app" }],
    features: FEATURES,
  });
  await bob.call("JoinProject", { projectId, features: FEATURES });
  return { ann, bob, roomId, projectId };
}

Deno.test("[issue 4 admin] the document names every route of the API, and nothing else", async () => {
  assertEquals(await run(true), [], "stale: deno task gen");
  await withApi((api) => {
    const documented = Object.entries(api.document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    );
    const served = routes.filter(({ path }) => path.startsWith("/api/admin/"))
      .flatMap(({ path, methods }) =>
        methods.map((method) => `${method} ${documentPath({ path })}`)
      );
    assertEquals(documented.sort(), served.sort());
    assertEquals(served.length, endpoints.length);
    const pointers = Object.keys((api.document.components as { schemas: object }).schemas);
    for (const name of pointers) api.schema(`/components/schemas/${name}`);
    return Promise.resolve();
  });
});

Deno.test("[issue 4 admin] every endpoint answers as the document says, and what changes something is written down", async () => {
  await withApi(async (api, server) => {
    const carl = await api.call("POST", "/users", { login: "carl", email: "carl@x.example" });
    assertEquals([carl.login, carl.admin, carl.email], ["carl", false, "carl@x.example"]);
    assertEquals(await api.call("GET", `/users/${carl.id}`), carl);
    await api.call("PATCH", `/users/${carl.id}`, { name: "Carl", staff: true });
    assertMatch(
      (await api.call("POST", `/users/${carl.id}/invitation`)).url,
      /\/invitation\?token=/,
    );
    await api.call("DELETE", `/users/${carl.id}/invitation`);
    const token = await api.call("POST", `/users/${carl.id}/access_tokens`, { label: "CI" });
    assertEquals(
      await statusOf(askAt(server.url, "/client/users/me", { as: `${carl.id} ${token.token}` })),
      200,
    );
    const { tokens } = await api.call("GET", `/users/${carl.id}/access_tokens`);
    assertEquals(tokens.map(({ id, label }: { id: number; label: string }) => [id, label]), [
      [token.id, "CI"],
    ]);
    await api.call("DELETE", `/users/${carl.id}/access_tokens/${token.id}`);
    await api.call("POST", `/users/${carl.id}/sign_out`);

    const { ann, bob, roomId, projectId } = await sharing(server);
    assertEquals((await api.call("GET", "/server")).connections, 2);
    assertEquals((await api.call("GET", "/session")).kind, "api token");
    const all = (await api.call("GET", "/connections")).connections;
    assertEquals(all.map(({ login }: { login: string }) => login), ["ann", "bob"]);
    assertEquals(
      (await api.call("GET", `/connections?user_id=${bob.userId}`)).connections.length,
      1,
    );
    const [room] = (await api.call("GET", "/rooms")).rooms;
    assertEquals(room, await api.call("GET", `/rooms/${roomId}`));
    assertEquals(
      [room.id, room.participants.length, room.participants[0].role],
      [Number(roomId), 2, "admin"],
    );
    const project = {
      id: Number(projectId),
      room_id: room.id,
      host_user_id: Number(ann.userId),
      worktrees: ["app"],
      guest_user_ids: [Number(bob.userId)],
    };
    assertEquals([(await api.call("GET", "/projects")).projects, room.projects], [[project], [
      project,
    ]]);
    await api.call("DELETE", `/projects/${projectId}`);
    await api.call("DELETE", `/rooms/${roomId}`);
    const dora = await server.raw("dora");
    const [last] = (await api.call("GET", `/connections?user_id=${dora.userId}`)).connections;
    await api.call("DELETE", `/connections/${last.id}`);
    await dora.closed;

    const root = await api.call("POST", "/channels", { name: "team", owner_id: carl.id });
    const below = await api.call("POST", "/channels", { name: "a", parent_id: root.id });
    const other = await api.call("POST", "/channels", { name: "b", parent_id: root.id });
    const changed = await api.call("PATCH", `/channels/${below.id}`, {
      name: "deep",
      parent_id: other.id,
    });
    assertEquals([changed.name, changed.parent_id, changed.root_id], ["deep", other.id, root.id]);
    assertEquals(await api.call("GET", `/channels/${below.id}`), changed);
    assertEquals((await api.call("GET", "/channels")).channels.length, 3);
    await api.call("PUT", `/channels/${root.id}/members/${bob.userId}`, { role: "guest" });
    const { members } = await api.call("GET", `/channels/${below.id}/members`);
    assertEquals(
      members.map((one: { login: string; role: string }) => [one.login, one.role]),
      [["carl", "admin"], ["bob", "guest"]],
    );
    await api.call("DELETE", `/channels/${root.id}/members/${bob.userId}`);
    await api.call("DELETE", `/channels/${root.id}`);
    assertEquals((await api.call("GET", "/channels")).channels, []);
    assertEquals((await api.call("GET", "/users?query=carl")).users.length, 1);
    await api.call("DELETE", `/users/${carl.id}`);
    const archive = await packageOf({ "extension.toml": manifestOf("0.1.0") });
    const published = await api.call("POST", "/extensions", archive);
    assertEquals((await api.call("GET", "/extensions/html")).versions, [published]);
    await api.call("PATCH", "/extensions/html/0.1.0", { yanked: true });

    const { entries } = await api.call("GET", "/audit?limit=200");
    const actions = new Set(entries.map(({ action }: { action: string }) => action));
    assertEquals([...actions].sort(), [
      "channel.create",
      "channel.move",
      "channel.remove",
      "channel.remove_member",
      "channel.rename",
      "channel.set_member",
      "connection.end",
      "extension.publish",
      "extension.yank",
      "invitation.create",
      "invitation.remove",
      "project.unshare",
      "room.close",
      "token.create",
      "token.revoke",
      "user.create",
      "user.remove",
      "user.sign_out",
      "user.update",
    ]);
    const table = endpoints.map((one) => `${one.method} ${documentPath(one)}`);
    assertEquals([...api.used].sort(), table.sort(), "every endpoint has been used");
  });
});

Deno.test("[issue 4 admin] only the API token and administrators' sessions open the API, forged requests do not", async () => {
  await withSignIn({ flags }, async (server, browser) => {
    const status = async (headers: Record<string, string>, method = "GET", path = "/server") => {
      const api = await AdminApi.open(server.url, headers);
      const body = method === "POST" ? { login: "new" } : undefined;
      return (await api.ask(method, path, body)).status;
    };
    assertEquals(await status({}), 401);
    assertEquals(await status({ authorization: "Bearer hunter2" }), 200);
    assertEquals(await status({ authorization: "token hunter2" }), 200);
    const ann = await server.addUser("ann");
    for (
      const wrong of ["Bearer hunter", "Bearer", "hunter2", `${ann.id} ${ann.token}`, "Basic x"]
    ) {
      assertEquals(await status({ authorization: wrong }), 401, wrong);
    }
    const cookieOf = async (login: string, browser: Browser) => {
      const form = (await browser.open("/sign_in")).forms[0]!;
      await browser.submit(form, { login, password: PASSWORD });
      return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    };
    assertEquals(await status({ cookie: await cookieOf("ann", new Browser(server.url)) }), 403);
    const cookie = await cookieOf("root", browser);
    assertEquals(await status({ cookie }), 200);
    assertEquals(await status({ cookie }, "POST", "/users"), 403);
    assertEquals(await status({ cookie, "x-csrf-token": "x" }, "POST", "/users"), 403);
    assertEquals((await server.server.store.allUsers()).length, 2, "nobody was made");
    const session =
      (await (await AdminApi.open(server.url, { cookie })).ask("GET", "/session")).body;
    assertEquals([session.kind, session.login], ["user", "root"]);
    const proof = { cookie, "x-csrf-token": session.csrf_token };
    assertEquals(await status(proof, "POST", "/users"), 201);
    const api = await AdminApi.open(server.url, proof);
    const [entry] = (await api.call("GET", "/audit")).entries;
    assertEquals([entry.actor.login, entry.action, entry.target_name, entry.client_address], [
      "root",
      "user.create",
      "new",
      "127.0.0.1",
    ]);
    // Nobody locks himself out.
    const { user_id: self } = session;
    for (
      const [method, body] of [["PATCH", { admin: false }], ["PATCH", { disabled: true }], [
        "DELETE",
        undefined,
      ]] as const
    ) {
      assertEquals((await api.ask(method, `/users/${self}`, body)).status, 409, method);
    }
    // A token made in a session is to act as the user.
    const token = await api.call("POST", `/users/${ann.id}/access_tokens`, {});
    assertEquals(token.impersonator_id, self);
    assertEquals(
      (await api.call("GET", "/audit?action=impersonation.create_token")).entries.length,
      1,
    );
  });
  await using closed = await startServer();
  const api = await AdminApi.open(closed.url);
  assertEquals((await api.ask("GET", "/server")).status, 401);
});

Deno.test("[issue 4 admin] what cannot be used is refused with its reason, and changes nothing", async () => {
  await withApi(async (api, server) => {
    const ann = await server.addUser("ann");
    const root = await api.call("POST", "/channels", { name: "team", owner_id: ann.id });
    const before = (await api.call("GET", "/audit")).entries.length;
    const bad: readonly [string, string, unknown, number, RegExp][] = [
      ["POST", "/users", { login: "ann" }, 409, /another account/],
      ["POST", "/users", { login: "not a login" }, 400, /login/i],
      ["POST", "/users", { login: "x", admin: "yes" }, 400, /admin/],
      ["POST", "/users", { login: "x", role: 1 }, 400, /role/],
      ["POST", "/users", "{", 400, /JSON/],
      ["PATCH", `/users/${ann.id}`, { email: "nobody" }, 400, /email/],
      ["PATCH", "/users/99", { name: "x" }, 404, /no user 99/],
      ["GET", "/users/ann", undefined, 400, /id/],
      ["GET", "/users?limit=0", undefined, 400, /limit/],
      ["GET", "/users?limit=201", undefined, 400, /limit/],
      ["DELETE", `/users/${ann.id}/access_tokens/99`, undefined, 404, /no token 99/],
      ["DELETE", "/connections/1:99", undefined, 404, /no connection/],
      ["DELETE", "/connections/x", undefined, 400, /1:5/],
      ["DELETE", "/rooms/9", undefined, 404, /no room/],
      ["DELETE", "/projects/9", undefined, 404, /no project/],
      ["POST", "/channels", { name: " # ", owner_id: ann.id }, 409, /needs a name/],
      ["POST", "/channels", { name: "x", owner_id: 99 }, 404, /no user 99/],
      ["POST", "/channels", { name: "x", parent_id: 99 }, 404, /no channel 99/],
      ["POST", "/channels", { name: "x" }, 400, /body/],
      ["PATCH", `/channels/${root.id}`, { parent_id: root.id }, 409, /CircularNesting/],
      ["PUT", `/channels/${root.id}/members/${ann.id}`, { role: "king" }, 400, /role/],
      ["PUT", `/channels/${root.id}/members/99`, { role: "guest" }, 404, /no user 99/],
      ["DELETE", `/channels/${root.id}/members/99`, undefined, 404, /no member/],
    ];
    for (const [method, path, body, status, error] of bad) {
      const answer = await api.ask(method, path, body);
      assertEquals(answer.status, status, `${method} ${path} ${JSON.stringify(body)}`);
      assertMatch(answer.body.error, error);
    }
    assertEquals((await api.call("GET", "/audit")).entries.length, before);
    assertEquals((await server.server.store.allUsers()).length, 1);
  });
});

Deno.test("[issue 4 admin] a channel is changed in all that is asked or in nothing, by the rules for how it is in the end", async () => {
  await withApi(async (api, server) => {
    const ann = await server.addUser("ann");
    const make = (name: string, parent_id?: number) =>
      api.call("POST", "/channels", {
        name,
        ...(parent_id ? { parent_id } : { owner_id: ann.id }),
      });
    const root = await make("team");
    const hidden = await make("hidden", root.id);
    const open = await make("open", root.id);
    const deep = await make("deep", hidden.id);
    await make("taken", open.id);
    await api.call("PATCH", `/channels/${root.id}`, { visibility: "public" });
    await api.call("PATCH", `/channels/${open.id}`, { visibility: "public" });
    const audited = (await api.call("GET", "/audit")).entries.length;
    const bad: readonly [number, unknown, RegExp][] = [
      [deep.id, { name: "new", visibility: "public" }, /BadPublicNesting/],
      [deep.id, { name: "new", parent_id: root.id, visibility: "hidden" }, /visibility/],
      [deep.id, { name: "taken", visibility: "public", parent_id: open.id }, /taken/],
      [root.id, { name: "new", visibility: "members" }, /BadPublicNesting/],
      [hidden.id, { name: "new", parent_id: deep.id }, /CircularNesting/],
      [hidden.id, { name: "open", visibility: "public" }, /open/],
    ];
    const before = await api.call("GET", "/channels");
    for (const [id, body, error] of bad) {
      const answer = await api.ask("PATCH", `/channels/${id}`, body);
      assertEquals(
        answer.status,
        /visibility/.test(error.source) ? 400 : 409,
        JSON.stringify(body),
      );
      assertMatch(answer.body.error, error);
    }
    assertEquals(await api.call("GET", "/channels"), before);
    assertEquals((await api.call("GET", "/audit")).entries.length, audited);
    // Public where it goes, though not where it is.
    const moved = await api.call("PATCH", `/channels/${deep.id}`, {
      name: "shown",
      visibility: "public",
      parent_id: open.id,
    });
    assertEquals([moved.name, moved.visibility, moved.parent_id], ["shown", "public", open.id]);
    assertEquals((await api.call("GET", "/audit")).entries.length, audited + 3);
    // As it is stored, too.
    await server.restart();
    const again = await AdminApi.open(server.url);
    assertEquals(await again.call("GET", `/channels/${deep.id}`), moved);
  });
});

Deno.test("[issue 4 admin] a deed that cannot be written to the audit log is told as done and unwritten, and is in the log", async () => {
  const store = await openSqlite({ path: ":memory:" });
  const admin = new Proxy(store.admin, {
    get: (target, name) => {
      if (name === "addAuditEntry") return () => Promise.reject(new Error("The disk is full"));
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const unwritable: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === "admin") return admin;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  try {
    await using server = await startServer({ flags, parts: { store: unwritable } });
    const api = await AdminApi.open(server.url);
    const answer = await api.ask("POST", "/users", { login: "ann" });
    assertEquals(answer.status, 503);
    assertMatch(answer.body.error, /user\.create .*is done, but could not be written/);
    assertEquals((await api.call("GET", "/users")).users.length, 1);
  } finally {
    await store.close();
  }
});

Deno.test("[issue 4 admin] accounts and the audit log are read page by page, each entry once", async () => {
  await withApi(async (api) => {
    for (const login of ["a1", "a2", "a3", "b1"]) await api.call("POST", "/users", { login });
    const first = await api.call("GET", "/users?query=a&limit=2");
    const second = await api.call("GET", `/users?query=a&limit=2&after=${first.next}`);
    const logins = [...first.users, ...second.users].map(({ login }) => login);
    assertEquals([logins, second.next], [["a1", "a2", "a3"], null]);
    const newest = await api.call("GET", "/audit?limit=3");
    const oldest = await api.call("GET", `/audit?limit=3&before=${newest.next}`);
    const names = [...newest.entries, ...oldest.entries].map(({ target_name }) => target_name);
    assertEquals([names, oldest.next], [["b1", "a3", "a2", "a1"], null]);
    const { target } = newest.entries[0];
    assertEquals((await api.call("GET", `/audit?target=${target}`)).entries.length, 1);
  });
});

Deno.test("[issue 4 admin] revoking a token ends its connections and no others; disabling ends all", async () => {
  await withApi(async (api, server) => {
    const ann = await server.addUser("ann");
    const made = await api.call("POST", `/users/${ann.id}/access_tokens`, { label: "laptop" });
    const laptop = await TestPeer.connect({ url: server.url, user: { ...ann, token: made.token } });
    const desk = await server.raw("ann");
    const bob = await server.raw("bob");
    await api.call("DELETE", `/users/${ann.id}/access_tokens/${made.id}`);
    await laptop.closed;
    assertEquals(desk.end, undefined);
    const { disabled_at, connections } = await api.call("PATCH", `/users/${ann.id}`, {
      disabled: true,
    });
    assert(disabled_at !== null);
    assertEquals(connections, 0);
    await desk.closed;
    assertEquals(bob.end, undefined);
    const me = () => statusOf(askAt(server.url, "/client/users/me", { as: ann }));
    assertEquals(await me(), 401);
    await api.call("PATCH", `/users/${ann.id}`, { disabled: false });
    assertEquals(await me(), 200);
  });
});

Deno.test("[issue 4 admin] a project that is unshared ends for host and guests, a room that is closed for all", async () => {
  await withApi(async (api, server) => {
    const { ann, bob, roomId, projectId } = await sharing(server);
    for (const peer of [ann, bob]) {
      await peer.settle();
      peer.skip();
    }
    await api.call("DELETE", `/projects/${projectId}`);
    assertEquals((await bob.next("UnshareProject")).value.projectId, projectId);
    const { room } = (await ann.next("RoomUpdated")).value;
    assertEquals(room!.participants.flatMap(({ projects }) => projects ?? []), []);
    assertEquals((await bob.ask("JoinProject", { projectId, features: FEATURES })).name, "Error");

    const carl = await server.raw("carl");
    await api.call("DELETE", `/rooms/${roomId}`);
    await Promise.all([ann.closed, bob.closed]);
    assertEquals(carl.end, undefined);
    assertEquals((await api.ask("GET", `/rooms/${roomId}`)).status, 404);
    const back = await server.raw("ann");
    assertEquals((await back.ask("RejoinRoom", { id: roomId })).name, "Error");
    assertEquals((await back.ask("CreateRoom", {})).name, "CreateRoomResponse");
    // Stored, not only forgotten.
    assertEquals((await server.server.store.load("rooms")).length, 1);
    assertEquals(await server.server.store.load("projects"), []);
  });
});

Deno.test("[issue 4 admin] [channels 6.5] what the operator does to channels is told to who sees them, and kept", async () => {
  await withApi(async (api, server) => {
    const ann = await server.raw("ann");
    const bob = await server.raw("bob");
    for (const peer of [ann, bob]) {
      peer.send("SubscribeToChannels", {});
      await peer.settle();
      peer.skip();
    }
    const root = await api.call("POST", "/channels", {
      name: "team",
      owner_id: Number(ann.userId),
    });
    assertEquals((await ann.next("UpdateUserChannels")).value.channelMemberships.length, 1);
    assertEquals((await ann.next("UpdateChannels")).value.channels[0]!.name, "team");
    const below = await api.call("POST", "/channels", { name: "sub", parent_id: root.id });
    await ann.next("UpdateChannels", ({ channels }) => channels.some(({ name }) => name === "sub"));
    await bob.settle();
    assertEquals(bob.fresh().filter(({ name }) => name === "UpdateChannels"), []);
    await api.call("PUT", `/channels/${root.id}/members/${bob.userId}`, { role: "member" });
    const seen = (await bob.next("UpdateChannels")).value.channels;
    assertEquals(seen.map(({ name }) => name).sort(), ["sub", "team"]);
    await api.call("PATCH", `/channels/${below.id}`, { name: "renamed" });
    assertEquals((await bob.next("UpdateChannels")).value.channels[0]!.name, "renamed");
    await api.call("DELETE", `/channels/${root.id}/members/${bob.userId}`);
    const gone = (await bob.next("UpdateChannels")).value.deleteChannels;
    assertEquals(gone.map(Number).sort(), [root.id, below.id].sort());

    // Somebody invited by a member becomes one without being asked, and his notification is settled.
    await ann.call("InviteChannelMember", {
      channelId: BigInt(root.id),
      userId: bob.userId,
      role: 1,
    });
    await bob.next("AddNotification");
    await api.call("PUT", `/channels/${root.id}/members/${bob.userId}`, { role: "guest" });
    await bob.next("AddNotification", ({ notification }) => notification?.response === true);

    await server.restart();
    const again = await AdminApi.open(server.url);
    const { members } = await again.call("GET", `/channels/${root.id}/members`);
    assertEquals(members.length, 2);
    assertEquals((await again.call("GET", "/channels")).channels.length, 2);
    await again.call("DELETE", `/channels/${root.id}`);
    assertEquals(await server.server.store.load("channels"), []);
    assertEquals(await server.server.store.load("channel_members"), []);
  });
});
