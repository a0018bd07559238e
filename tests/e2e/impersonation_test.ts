import { assertEquals } from "@std/assert";
import { createToken } from "../../db/access_tokens.ts";
import { askAt, withHttp } from "../support/http.ts";
import { createNativeApp } from "../support/native_app.ts";
import { PASSWORD, signInPath, withSignIn } from "../support/sign_in.ts";
import { TestPeer } from "../support/test_peer.ts";
import type { TestServer } from "../support/server.ts";

const app = createNativeApp();

async function entries(server: TestServer) {
  const all = await server.server.store.admin.auditEntries({ before: null, limit: 100 });
  return all.reverse().map(({ actor, action, target, targetName, clientAddress }) =>
    [actor.login ?? actor.kind, action, target, targetName, clientAddress] as const
  );
}

Deno.test("[rooms 3.1a, 3.8] [transport 5.3] an administrator acts as a user, shows as staff, and it is written down", async () => {
  await withHttp(["--staff", "none"], async ({ server, url }) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root", { admin: true });
    const token = await createToken(server.server.store, ann.id, root.id);
    const facts = async (token: string) => {
      const peer = await TestPeer.connect({ url, user: { ...ann, token } }, {
        version: "0.191.0",
      });
      const plan = await peer.next("UpdateUserPlan");
      const info = await peer.call("GetPrivateUserInfo", {});
      const [self] = (await peer.call("GetUsers", { userIds: [BigInt(ann.id)] })).users;
      const connection = [...server.server.actors.registry.connections.values()].at(-1)!;
      const found = [
        plan.value.plan,
        info.staff,
        self!.githubLogin,
        connection.admin,
        connection.impersonatorId,
      ];
      await peer.close();
      return found;
    };
    assertEquals(await facts(ann.token), [0, false, "ann", false, null]);
    assertEquals(await entries(server), []);
    assertEquals(await facts(token), [1, true, "ann", false, root.id]);
    assertEquals(await entries(server), [
      ["root", "impersonation.connect", `/users/${ann.id}`, "ann", "127.0.0.1"],
    ]);
    // The account itself is what it is.
    const me = await (await askAt(url, "/client/users/me", { as: `${ann.id} ${token}` })).json();
    assertEquals([me.user.id, me.user.is_staff], [ann.id, false]);
  });
});

Deno.test("[rooms 3.8] every way to act as somebody else is written down", async () => {
  await withSignIn({ flags: ["--api-token", "hunter2"] }, async (server, browser) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root");
    const form = (await browser.open(signInPath(app, 54321, "&impersonate=ann"))).forms[0]!;
    const signedIn = await browser.submit(form, { login: "root", password: PASSWORD });
    const confirm = (await browser.open(signedIn.location!)).forms[0]!;
    assertEquals(await entries(server), [], "not before it is confirmed");
    assertEquals((await browser.submit(confirm)).status, 303);
    const ask = (path: string, as: string, body?: unknown) =>
      askAt(server.url, path, { method: "POST", as, ...(body !== undefined && { body }) })
        .then((answer) => answer.json());
    await ask(
      `/users/${root.id}/access_tokens?public_key=${app.publicKey}&impersonate=ann`,
      "token hunter2",
    );
    await ask("/internal/users/impersonate", "Bearer hunter2", { github_login: "ann" });
    const target = [`/users/${ann.id}`, "ann", "127.0.0.1"] as const;
    assertEquals(await entries(server), [
      ["root", "impersonation.create_token", ...target],
      ["api token", "impersonation.create_token", ...target],
      ["api token", "impersonation.create_token", ...target],
    ]);
  });
});
