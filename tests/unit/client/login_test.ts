import { assertEquals, assertRejects } from "@std/assert";
import { Account } from "../../../client/connection/account.ts";
import type { Generation } from "../../../client/connection/backoff.ts";
import { Login } from "../../../client/connection/login.ts";
import { MemoryStore } from "../../../client/credentials/memory_store.ts";
import type { Credentials } from "../../../client/credentials/store.ts";
import {
  AuthenticationError,
  ConnectError,
  StoredLoginRefusedError,
  UnauthorizedError,
} from "../../../client/errors.ts";
import { serviceUrl } from "../../../client/http/base_urls.ts";
import type { HttpClient, HttpRequest } from "../../../client/http/http_client.ts";

const URL_ = "https://h";
const stored = { userId: 1, token: "stored" };
const fresh = { userId: 1, token: "fresh" };
const { signal } = new AbortController();

/** A server that answers as the test says, by the token that it is shown. */
class Stage {
  readonly asked: { readonly url: string; readonly request: HttpRequest }[] = [];
  readonly store = new MemoryStore();
  readonly warnings: string[] = [];
  signIns = 0;
  answers: Record<string, number | Error> = {};
  document: unknown = {};

  readonly http: HttpClient = {
    request: (url, request = {}) => {
      this.asked.push({ url, request });
      const token = request.headers?.authorization?.split(" ")[1] ?? "";
      const answer = this.answers[token] ?? 200;
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve(new Response(JSON.stringify(this.document), { status: answer }));
    },
    close() {},
  };

  login(
    generation: Generation | "auto",
    more: { isImpersonating?: boolean; fails?: boolean } = {},
  ) {
    return new Login({
      serverUrl: URL_,
      store: this.store,
      generation,
      http: this.http,
      warn: (text) => void this.warnings.push(text),
      isImpersonating: more.isImpersonating,
      method: {
        signIn: () => {
          this.signIns++;
          if (more.fails) return Promise.reject(new Error("The browser was closed"));
          return Promise.resolve(fresh);
        },
      },
    });
  }
}

async function withStored(): Promise<Stage> {
  const stage = new Stage();
  await stage.store.write(URL_, stored);
  return stage;
}

Deno.test("[transport 3.3.2, 3.3.4] 2025: memory, store, browser; kept once the socket is open", async () => {
  const stage = await withStored();
  const login = stage.login("2025");
  await login.authenticate(true, signal);
  assertEquals([login.credentials, stage.signIns, stage.asked], [stored, 0, []]);
  await login.authenticate(false, signal);
  assertEquals(login.credentials, stored);

  const other = stage.login("2025");
  await other.authenticate(false, signal);
  assertEquals([other.credentials, stage.signIns], [fresh, 1]);
  // Not before the server has taken it.
  assertEquals(await stage.store.read(URL_), stored);
  await other.accepted();
  assertEquals(await stage.store.read(URL_), fresh);
});

Deno.test("[transport 3.3.5] 2025: a refused login is forgotten, and deleted if this call took it from the store", async () => {
  const refusal = new UnauthorizedError("401");
  const stage = await withStored();
  const login = stage.login("2025");
  await login.authenticate(true, signal);
  assertEquals((await login.refused(new ConnectError("down"))) instanceof ConnectError, true);
  assertEquals(login.credentials, stored);
  assertEquals((await login.refused(refusal)) instanceof StoredLoginRefusedError, true);
  assertEquals([login.credentials, await stage.store.read(URL_)], [undefined, undefined]);

  // From memory: not this call's.
  await stage.store.write(URL_, stored);
  const second = stage.login("2025");
  await second.authenticate(true, signal);
  await second.authenticate(true, signal);
  assertEquals(await second.refused(refusal), refusal);
  assertEquals([second.credentials, await stage.store.read(URL_)], [undefined, stored]);
});

Deno.test("[transport 3.4.1] 2026: each login is validated, the browser's is kept as it is", async () => {
  const stage = await withStored();
  const login = stage.login("2026");
  await login.authenticate(true, signal);
  assertEquals([login.credentials, stage.asked.length], [stored, 1]);
  stage.answers = { stored: 401 };
  await login.authenticate(true, signal);
  // Memory and store were asked about, and the browser's login was not.
  assertEquals([login.credentials, stage.asked.length, stage.signIns], [fresh, 3, 1]);
  assertEquals(await stage.store.read(URL_), fresh);
  const failing = stage.login("2026", { fails: true });
  await assertRejects(
    () => failing.authenticate(false, signal),
    AuthenticationError,
    "The browser was closed",
  );
});

Deno.test("[transport 3.4.2] 2026: 2xx is valid, 401 is not, anything else fails without browser or deletion", async () => {
  for (const answer of [403, 404, 500, 503, 302, new ConnectError("Cannot reach https://h")]) {
    const stage = await withStored();
    stage.answers = { stored: answer };
    await assertRejects(() => stage.login("2026").authenticate(true, signal), ConnectError);
    assertEquals([stage.signIns, await stage.store.read(URL_)], [0, stored], `${answer}`);
  }
  const stage = await withStored();
  stage.answers = { stored: 204 };
  await stage.login("2026").authenticate(true, signal).catch(() => {});
  const [{ url, request }] = stage.asked as [{ url: string; request: HttpRequest }];
  assertEquals(url, "https://h/client/users/me");
  assertEquals(request.headers, {
    "content-type": "application/json",
    "authorization": "1 stored",
  });
});

Deno.test("[transport 12.8] a server without account documents is of 2025, any other of 2026", async () => {
  const old = await withStored();
  old.answers = { stored: 404 };
  const login = old.login("auto");
  await login.authenticate(true, signal);
  assertEquals([login.generation, login.credentials], ["2025", stored]);
  const modern = await withStored();
  const second = modern.login("auto");
  await second.authenticate(true, signal);
  assertEquals(second.generation, "2026");
  const none = new Stage();
  none.answers = { fresh: 404 };
  const third = none.login("auto");
  await third.authenticate(true, signal);
  assertEquals([third.generation, await none.store.read(URL_)], ["2025", undefined]);
});

Deno.test("[transport 3.2.4] an impersonated login neither reads nor writes the store", async () => {
  for (const generation of ["2025", "2026"] as const) {
    const stage = await withStored();
    const login = stage.login(generation, { isImpersonating: true });
    await login.authenticate(true, signal);
    await login.accepted();
    assertEquals([login.credentials, await stage.store.read(URL_)], [fresh, stored]);
    await login.forget();
    assertEquals(await stage.store.read(URL_), stored);
  }
});

const me = {
  user: { id: 99, github_login: "ann", avatar_url: "https://h/a", metrics_id: "m", is_staff: true },
  feature_flags: ["x"],
  organizations: [
    { id: "a", name: "A", is_personal: true },
    { id: "b", name: "B", is_personal: false },
  ],
  default_organization_id: "b",
  plan: {},
};

function accountAt(stage: Stage, credentials: () => Credentials | undefined = () => stored) {
  stage.document = me;
  return new Account({
    serverUrl: () => URL_,
    http: stage.http,
    credentials,
    systemId: "s",
    warn: (text) => void stage.warnings.push(text),
  });
}

Deno.test("[transport 3.6.2, 3.6.4] the id is that of the credentials; the organization the chosen, the default, the first", async () => {
  const stage = new Stage();
  const account = accountAt(stage);
  await account.load();
  assertEquals([account.user?.id, account.user?.login], [1n, "ann"]);
  assertEquals(stage.asked[0]?.request.headers?.["x-zed-system-id"], "s");
  assertEquals(account.organization?.id, "b");
  stage.document = { ...me, default_organization_id: "gone" };
  await account.load();
  assertEquals(account.organization?.id, "a");
  stage.document = { ...me, organizations: [], default_organization_id: null };
  await account.load();
  assertEquals(account.organization, undefined);
});

Deno.test("[transport 3.6.5] a choice is sent, and stays for the session when that fails", async () => {
  const stage = new Stage();
  const account = accountAt(stage);
  await account.load();
  stage.answers = { stored: 500 };
  await assertRejects(() => account.choose("a"), Error, "answers 500");
  assertEquals(account.organization?.id, "a");
  const { url, request } = stage.asked.at(-1)!;
  assertEquals([url, request.method], ["https://h/client/system_settings", "PATCH"]);
  assertEquals(request.body, '{"selected_organization_id":"a"}');
  account.clear();
  assertEquals([account.user, account.organization], [undefined, undefined]);
});

Deno.test("[transport 3.6.1] any failure, also a document that does not fit, leaves nobody", async () => {
  for (const document of [{}, { ...me, plan: undefined }, { ...me, user: { id: 1 } }, null]) {
    const stage = new Stage();
    const account = accountAt(stage);
    await account.load();
    stage.document = document;
    await account.load();
    assertEquals([account.user, stage.warnings.length], [undefined, 1]);
  }
});

Deno.test("[transport 0.3, 8.1, 8.1.3, T8] all addresses follow from the server's, letter by letter", () => {
  const rows = [
    [
      "https://zed.dev",
      "https://api.zed.dev",
      "https://cloud.zed.dev",
      "https://llm.zed.dev",
      "https://cloud.zed.dev",
    ],
    [
      "https://staging.zed.dev",
      "https://api-staging.zed.dev",
      "https://cloud.zed.dev",
      "https://llm-staging.zed.dev",
      "https://llm-staging.zed.dev",
    ],
    [
      "http://localhost:3000",
      "http://localhost:8080",
      "http://localhost:8787",
      "http://localhost:8787",
      "http://localhost:8787",
    ],
    ...["https://parley.example", "https://host/zed", "http://127.0.0.1:3000", "https://zed.dev/"]
      .map((url) => [url, url, url, url, url]),
  ];
  for (const [server, api, cloud, old, llm] of rows as [string, string, string, string, string][]) {
    assertEquals(serviceUrl(server, "site", "/x"), `${server}/x`);
    assertEquals(serviceUrl(server, "api", "/x"), `${api}/x`);
    assertEquals(serviceUrl(server, "cloud", "/x"), `${cloud}/x`);
    assertEquals(serviceUrl(server, "llm", "/x", undefined, "2025"), `${old}/x`);
    assertEquals(serviceUrl(server, "llm", "/x"), `${llm}/x`);
  }
  assertEquals(serviceUrl("https://host/", "site", "/rpc"), "https://host//rpc");
});

Deno.test("[transport 8.1.5] query values are form-encoded, and no parameters leave the mark", () => {
  assertEquals(
    serviceUrl("https://h", "api", "/extensions", { filter: "a b+c&ä", ids: "x,y" }),
    "https://h/extensions?filter=a+b%2Bc%26%C3%A4&ids=x%2Cy",
  );
  assertEquals(
    serviceUrl("https://h", "api", "/telemetry/events", {}),
    "https://h/telemetry/events?",
  );
});

Deno.test("[issue 7 unattended] where nobody may be asked, a method that asks is not used; one that knows is", async () => {
  for (const asksUser of [true, false]) {
    const stage = await withStored();
    stage.answers = { stored: 401 };
    let signIns = 0;
    const login = new Login({
      ...{ serverUrl: URL_, store: stage.store, generation: "2026", http: stage.http },
      warn: (text) => void stage.warnings.push(text),
      method: {
        asksUser,
        signIn: () => {
          signIns++;
          return Promise.resolve(fresh);
        },
      },
    });
    const attempt = login.authenticate(true, signal, false);
    if (asksUser) {
      await assertRejects(() => attempt, StoredLoginRefusedError, "nobody was asked for another");
      assertEquals([signIns, stage.warnings.length], [0, 1]);
      await login.authenticate(true, signal);
    } else await attempt;
    assertEquals([signIns, login.credentials], [1, fresh]);
  }
});
