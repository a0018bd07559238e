/** Publishing, counting and yanking, in a folder and in a bucket. */
import { assertEquals, assertMatch } from "@std/assert";
import { manifestOf, packageOf } from "../../support/extension_package.ts";
import { type HttpServer, redirectOf, statusOf, withHttp } from "../../support/http.ts";
import { S3Service } from "../../support/s3_service.ts";

const API = "Bearer 0123456789abcdef";
const TOKEN = "--api-token=0123456789abcdef";
const BOUNDS =
  "min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.1&max_wasm_api_version=0.6.0";

async function publish({ ask }: HttpServer, archive: Uint8Array, query = "") {
  const answer = await ask(`/api/admin/extensions${query}`, {
    method: "POST",
    as: API,
    body: archive,
    headers: { "content-type": "application/gzip" },
  });
  return [answer.status, await answer.json()] as const;
}

async function list({ ask }: HttpServer, path: string) {
  const answer = await ask(path);
  assertEquals(answer.status, 200, path);
  return (await answer.json()).data as Record<string, unknown>[];
}

async function versions(http: HttpServer, path: string) {
  return (await list(http, path)).map(({ id, version }) => `${id} ${version}`);
}

/** The same in a folder and in a bucket, but for how an archive is given out. */
async function publishAndUse(
  http: HttpServer,
  download: (path: string) => Promise<Uint8Array>,
): Promise<void> {
  const files = { "grammars/html.wasm": "x", "languages/html/config.toml": "" };
  const first = await packageOf({ "extension.toml": manifestOf("0.1.0"), ...files });
  const second = await packageOf({ "extension.toml": manifestOf("0.2.0"), ...files });
  const [status, published] = await publish(http, first);
  assertEquals(status, 201, JSON.stringify(published));
  assertEquals(published, {
    id: "html",
    version: "0.1.0",
    name: "HTML",
    schema_version: 1,
    wasm_api_version: null,
    provides: ["languages", "grammars", "language-servers"],
    published_at: published.published_at,
    downloads: 0,
    yanked_at: null,
  });
  const again = await publish(http, await packageOf({ "extension.toml": manifestOf("0.1.0") }));
  assertEquals(again[0], 409);
  assertMatch(again[1].error, /0\.1\.0 is published already/);
  assertEquals((await publish(http, second))[0], 201);
  const [html] = await list(http, "/extensions?max_schema_version=1");
  assertEquals(html, {
    id: "html",
    version: "0.2.0",
    name: "HTML",
    description: "HTML support",
    authors: ["Ann <ann@example.com>"],
    repository: "https://git.example/html",
    schema_version: 1,
    provides: ["languages", "grammars", "language-servers"],
    published_at: html!.published_at,
    download_count: 0,
  });
  assertEquals(await download("/extensions/html/0.1.0/download"), first);
  assertEquals(await download(`/extensions/html/download?${BOUNDS}`), second);
  assertEquals(await download("/extensions/html/download"), second);
  assertEquals(await statusOf(http.ask("/extensions/html/9.9.9/download")), 404);
  await statusOf(http.ask("/extensions/html/0.1.0/download", { method: "HEAD" }));
  assertEquals((await list(http, "/extensions/html")).map((one) => one.download_count), [3, 3]);

  const change = (version: string, yanked: boolean) =>
    http.ask(`/api/admin/extensions/html/${version}`, {
      method: "PATCH",
      as: API,
      body: { yanked },
    });
  assertEquals(await statusOf(change("0.2.0", true)), 200);
  assertEquals(await statusOf(change("7.0.0", true)), 404);
  for (
    const path of [
      "/extensions?max_schema_version=1",
      `/extensions/updates?${BOUNDS}&ids=html`,
      "/extensions/html",
    ]
  ) assertEquals(await versions(http, path), ["html 0.1.0"], path);
  // Who has it by its version keeps it.
  assertEquals(await download("/extensions/html/0.2.0/download"), second);
  assertEquals(await statusOf(change("0.2.0", false)), 200);
  assertEquals(await versions(http, "/extensions?max_schema_version=1"), ["html 0.2.0"]);
  const answer = await http.ask("/api/admin/extensions/html", { as: API });
  const seen = (await answer.json()).versions as { version: string; downloads: number }[];
  assertEquals(seen.map(({ version, downloads }) => [version, downloads]), [["0.2.0", 3], [
    "0.1.0",
    1,
  ]]);
  const audit = await (await http.ask("/api/admin/audit", { as: API })).json();
  assertEquals(audit.entries.map(({ action }: { action: string }) => action), [
    "extension.unyank",
    "extension.yank",
    "extension.publish",
    "extension.publish",
  ]);
}

Deno.test("[transport 7.1, 7.1.1, 7.1.3, 7.1.5] what is published is listed, downloaded, counted and yanked; without a setting in the data folder", async () => {
  await withHttp([TOKEN], async (http) => {
    assertEquals(await list(http, "/extensions?max_schema_version=1"), []);
    await publishAndUse(http, async (path) => {
      const answer = await http.ask(path);
      assertEquals(answer.status, 200);
      return new Uint8Array(await answer.arrayBuffer());
    });
  });
});

Deno.test("[transport 7.1, 7.1.5] the same in a bucket: downloads are sent to it for three minutes", async () => {
  await using service = await S3Service.start();
  await withHttp([TOKEN, ...service.flags()], async (http) => {
    await publishAndUse(http, async (path) => {
      const [status, location] = await redirectOf(http.ask(path));
      assertEquals(status, 307);
      const url = new URL(location!);
      assertEquals(url.searchParams.get("X-Amz-Expires"), "180");
      const answer = await fetch(url);
      assertEquals(answer.status, 200);
      return new Uint8Array(await answer.arrayBuffer());
    });
    const [, location] = await redirectOf(http.ask("/extensions/html/0.1.0/download"));
    for (const url of [location!.replace("0.1.0", "0.2.0"), location!.split("?")[0]!]) {
      assertEquals(await statusOf(fetch(url)), 403, url);
    }
    assertEquals(service.requests.filter((one) => one.startsWith("PUT")), [
      "PUT /parley/extensions/html/0.1.0.json",
      "PUT /parley/extensions/html/0.1.0.tar.gz",
      "PUT /parley/extensions/html/0.2.0.json",
      "PUT /parley/extensions/html/0.2.0.tar.gz",
    ]);
  });
});

Deno.test("[transport 7.1.4] lists that cannot be made are a 4xx with a text, which clients show", async () => {
  await using service = await S3Service.start();
  const lists = ["/extensions", `/extensions/updates?${BOUNDS}&ids=html`, "/extensions/html"];
  await withHttp([TOKEN, ...service.flags("wrong")], async (http) => {
    for (const path of lists) {
      const answer = await http.ask(path);
      assertEquals(answer.status, 424, path);
      assertMatch(await answer.text(), /archives cannot be reached/);
    }
    const archive = await packageOf({ "extension.toml": manifestOf("0.1.0") });
    const [status, { error }] = await publish(http, archive);
    assertEquals(status, 503);
    assertMatch(error, /bucket parley .* 403, wrong signature/);
  });
  await withHttp([TOKEN, ...service.flags()], async (http) => {
    for (const path of lists) assertEquals(await list(http, path), []);
    for (const query of ["", "?ids=html", `?${BOUNDS}`, `?${BOUNDS}&ids=a`.replace("=0&", "=x&")]) {
      const answer = await http.ask(`/extensions/updates${query}`);
      assertEquals(answer.status, 400, query);
      assertMatch(await answer.text(), /min_schema_version/);
    }
    service.down = true;
    for (const path of lists) assertEquals(await statusOf(http.ask(path)), 424, path);
    // Nothing that could be unpacked.
    assertEquals(await statusOf(http.ask("/extensions/html/0.1.0/download")), 503);
  });
});

Deno.test("[transport 7.1.3] at most 1000, the most downloaded first, then by name; the one with the filter's id before all", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const put = async (id: string, name: string) => {
      await Deno.mkdir(`${folder}/${id}`);
      await Deno.writeTextFile(`${folder}/${id}/1.0.0.tar.gz`, id);
      await Deno.writeTextFile(`${folder}/${id}/1.0.0.json`, JSON.stringify({ name }));
    };
    await put("zz", "Quiet");
    await put("aa", "Loud");
    await put("quiet", "Last");
    for (let i = 0; i < 1000; i++) await put(`e${i}`, `Quiet ${String(i).padStart(4, "0")}`);
    await withHttp(["--extensions-dir", folder], async (http) => {
      for (const id of ["e7", "aa", "aa"]) {
        await statusOf(http.ask(`/extensions/${id}/1.0.0/download`));
      }
      const all = await list(http, "/extensions");
      assertEquals([all.length, ...all.slice(0, 4).map(({ id }) => id)], [
        1000,
        "aa",
        "e7",
        "quiet",
        "zz",
      ]);
      const found = await list(http, "/extensions?filter=Quiet");
      assertEquals([found.length, ...found.slice(0, 3).map(({ id }) => id)], [
        1000,
        "quiet",
        "e7",
        "zz",
      ]);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[issue 4 extensions] what cannot be an extension is not published, and says why", async () => {
  const toml = manifestOf("0.1.0");
  const refused: [string, Uint8Array | Promise<Uint8Array>, RegExp][] = [
    ["no archive", new TextEncoder().encode("hello"), /cannot be read/],
    ["empty", new Uint8Array(0), /cannot be read/],
    [
      "no manifest",
      packageOf({ "a/extension.toml": toml }),
      /no extension.toml at the archive's root/,
    ],
    ["no TOML", packageOf({ "extension.toml": "[[[" }), /extension.toml cannot be used/],
    [
      "no version",
      packageOf({ "extension.toml": toml.replace('"0.1.0"', '"one"') }),
      /version: must be a version/,
    ],
    [
      "an id that leads out",
      packageOf({ "extension.toml": toml.replace('id = "html"', 'id = "../x"') }),
      /id: must be/,
    ],
    [
      "a way out",
      packageOf({ "extension.toml": toml, "../evil": "x" }),
      /leads out of the archive/,
    ],
    [
      "an absolute path",
      packageOf({ "extension.toml": toml, "/etc/passwd": "x" }),
      /leads out of the archive/,
    ],
    [
      "a link",
      packageOf({ "extension.toml": toml, "link": "/etc/passwd" }, "symlink"),
      /only files and folders/,
    ],
    [
      "code without its API",
      packageOf({ "extension.toml": toml, "extension.wasm": "x" }),
      /nothing says for which API/,
    ],
  ];
  await withHttp([TOKEN], async (http) => {
    for (const [name, archive, reason] of refused) {
      const [status, { error }] = await publish(http, await archive);
      assertEquals(status, 422, name);
      assertMatch(error, reason, name);
    }
    const code = await packageOf({ "extension.toml": toml, "extension.wasm": "x" });
    assertEquals(
      await statusOf(http.ask("/api/admin/extensions", { method: "POST", body: code })),
      401,
    );
    const [status, { wasm_api_version }] = await publish(http, code, "?wasm_api_version=0.5.0");
    assertEquals([status, wasm_api_version], [201, "0.5.0"]);
    assertEquals(await versions(http, "/extensions?max_schema_version=1"), ["html 0.1.0"]);
  });
  await withHttp([TOKEN, "--extensions-upstream=https://up.example"], async (http) => {
    const [status, { error }] = await publish(http, await packageOf({ "extension.toml": toml }));
    assertEquals(status, 409);
    assertMatch(error, /sent on/);
  });
});
