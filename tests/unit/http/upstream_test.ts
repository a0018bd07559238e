import { assertEquals, assertMatch } from "@std/assert";
import { redirectOf, statusOf, withHttp } from "../../support/http.ts";

const lists = [
  "/extensions?max_schema_version=1&filter=a+b",
  "/extensions/updates?min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.1&max_wasm_api_version=0.7.0&ids=html",
  "/extensions/html",
];
const downloads = [
  "/extensions/html/download?min_schema_version=0&max_schema_version=1",
  "/extensions/html/0.1.0/download",
];

Deno.test("[transport 7.1, 7.1.1, 7.1.6, 7.1.7] the registry is empty by default", async () => {
  await withHttp([], async ({ ask }) => {
    for (const path of lists) {
      const answer = await ask(path);
      assertEquals([answer.status, await answer.json()], [200, { data: [] }], path);
    }
    for (const path of downloads) {
      const answer = await ask(path);
      assertEquals(answer.status, 404, path);
      assertMatch(await answer.text(), /no extension "html"/);
    }
  });
});

Deno.test("[transport 7.1.5, 7.1.7, T15] requests for extensions go to the upstream as they are", async () => {
  await withHttp(["--extensions-upstream", "https://up.example/base/"], async ({ ask }) => {
    for (const path of [...lists, ...downloads, "/extensions/a%20b/download"]) {
      assertEquals(await redirectOf(ask(path)), [307, `https://up.example/base${path}`]);
    }
  });
});

Deno.test("[transport 7.2.1, 7.2.2, 7.2.3, T17] without releases nobody updates", async () => {
  await withHttp([], async ({ ask }) => {
    const harmless = [
      "/api/releases/latest?asset=zed&os=linux&arch=x86_64",
      "/api/releases/latest?asset=zed&os=linux&arch=x86_64&preview=1",
      "/releases/stable/latest/asset?asset=zed&os=macos&arch=aarch64&is_staff=false",
      "/releases/preview/1.10.0/asset?asset=zed&os=macos&arch=aarch64",
    ];
    for (const path of harmless) {
      const answer = await ask(path);
      assertEquals(
        [answer.status, await answer.json()],
        [200, { version: "0.0.0", url: "" }],
        path,
      );
    }
    const nothing = [
      "/api/releases/latest?asset=zed&os=linux&arch=x86_64&nightly=1",
      "/api/releases/latest?asset=zed-remote-server&os=linux&arch=x86_64",
      "/api/releases/stable/0.191.0/zed-remote-server-linux-x86_64.gz?update=1",
      "/releases/nightly/latest/asset?asset=zed&os=macos&arch=aarch64",
      "/releases/stable/latest/asset?asset=zed-remote-server&os=linux&arch=x86_64",
      "/api/release_notes/v2/stable/1.10.0",
    ];
    for (const path of nothing) assertEquals(await statusOf(ask(path)), 404, path);
  });
});

Deno.test("[transport 7.2.4, 7.2.5, 7.3] releases and pages go to their upstreams as they are", async () => {
  const flags = ["--site-upstream=https://site.example", "--cloud-upstream=https://cloud.example"];
  await withHttp(flags, async ({ ask }) => {
    const site = [
      "/api/releases/latest?asset=zed&os=linux&arch=x86_64&nightly=1",
      "/api/releases/stable/0.191.0/zed-remote-server-linux-x86_64.gz?update=1",
      "/api/release_notes/v2/stable/1.10.0",
      "/docs/preview/configuring-zed?x=1",
      "/docs",
      "/terms-of-service",
      "/blog/acp-registry",
      "/releases/stable/1.10.0",
    ];
    for (const path of site) {
      assertEquals(await redirectOf(ask(path)), [307, `https://site.example${path}`]);
    }
    const path = "/releases/nightly/latest/asset?asset=zed&os=macos&arch=aarch64";
    assertEquals(await redirectOf(ask(path)), [307, `https://cloud.example${path}`]);
  });
});

Deno.test("[transport 8.2.3] account routes are never sent on", async () => {
  const flags = ["site", "cloud", "extensions"].map((name) =>
    `--${name}-upstream=https://up.example`
  );
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    for (const path of ["/client/users/me", "/client/nothing", "//client/users/me"]) {
      const answer = await ask(path, { as: ann });
      assertEquals(answer.headers.get("location"), null, path);
      await answer.body?.cancel();
    }
  });
});
