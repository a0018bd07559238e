/** What clients of 2025 ask about their account over the connection, beside what HTTP says. */
import { assertEquals, assertMatch } from "@std/assert";
import { jwtVerify } from "jose";
import { withHttp } from "../support/http.ts";

const SECRET = "a secret of some length";
const OLD = { version: "0.191.0" } as const;

Deno.test("[transport 9.1] model tokens by message have the claims of those by HTTP", async () => {
  await withHttp(["--llm-api-secret", SECRET, "--staff", "admins"], async ({ server, ask }) => {
    await server.addUser("boss", { admin: true });
    for (const login of ["ann", "boss"]) {
      const user = await server.addUser(login);
      const peer = await server.raw(login, OLD);
      const { token } = await peer.call("GetLlmToken", {});
      const byHttp = await (await ask("/client/llm_tokens", { method: "POST", as: user })).json();
      const claims = async (text: string) => {
        const { payload } = await jwtVerify(text, new TextEncoder().encode(SECRET));
        const { iat, exp, jti, ...rest } = payload;
        assertMatch(jti!, /^[0-9a-f-]{36}$/);
        return { userId: rest.userId, isStaff: rest.isStaff, rest, lifetime: exp! - iat! };
      };
      const found = await claims(token);
      assertEquals(found, await claims(byHttp.token));
      assertEquals([found.userId, found.isStaff, found.lifetime], [
        user.id,
        login === "boss",
        3600,
      ]);
    }
  });
});

Deno.test("[transport 9.5] without a key the message is refused with the text for it", async () => {
  await withHttp([], async ({ server }) => {
    const peer = await server.raw("ann", OLD);
    const { name, value } = await peer.ask("GetLlmToken", {});
    assertEquals([name, (value as { message: string }).message], [
      "Error",
      "AI features are not available on this server",
    ]);
  });
});

Deno.test("[transport 9.4, 7.7] [rooms 4.7] terms are accepted at the time that HTTP says, staff is who HTTP says", async () => {
  for (const [who, expected] of [["none", false], ["admins", true], ["all", true]] as const) {
    await withHttp(["--staff", who], async ({ server, ask }) => {
      const boss = await server.addUser("boss", { admin: true });
      const peer = await server.raw("boss", OLD);
      const { user } = await (await ask("/client/users/me", { as: boss })).json();
      const accepted = BigInt(Math.floor(Date.parse(user.accepted_tos_at) / 1000));
      const info = await peer.call("GetPrivateUserInfo", {});
      assertEquals(info, {
        metricsId: user.metrics_id,
        staff: expected,
        flags: [],
        acceptedTosAt: accepted,
      });
      assertEquals(user.is_staff, expected);
      const { acceptedTosAt } = await peer.call("AcceptTermsOfService", {});
      assertEquals(acceptedTosAt, accepted);
    });
  }
});

Deno.test("[transport 9.4] [rooms 5.7] what asks for an account that is gone is answered with an error", async () => {
  await withHttp({ flags: ["--llm-api-secret", SECRET] }, async ({ server }) => {
    const peer = await server.raw("ann", OLD);
    const id = Number(peer.userId);
    await server.server.store.removeUser(id);
    server.server.actors.directory.forget(id);
    for (const name of ["GetPrivateUserInfo", "GetLlmToken", "AcceptTermsOfService"] as const) {
      const answer = await peer.ask(name, {});
      assertEquals(answer.name, "Error", name);
    }
  });
});
