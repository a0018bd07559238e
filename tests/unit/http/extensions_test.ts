/** The registry from a folder. */
import { assertEquals, assertMatch } from "@std/assert";
import { type HttpServer, statusOf, withHttp } from "../../support/http.ts";

const BOUNDS =
  "min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.1&max_wasm_api_version=0.6.0";
const PUBLISHED = "2026-01-02T03:04:05.678Z";

async function withRegistry(body: (http: HttpServer, folder: string) => Promise<void>) {
  const outside = await Deno.makeTempDir();
  const folder = `${outside}/extensions`;
  const put = async (id: string, version: string, more: object = {}) => {
    await Deno.mkdir(`${folder}/${id}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${id}/${version}.tar.gz`, `${id} ${version}`);
    const json = { name: id.toUpperCase(), published_at: PUBLISHED, ...more };
    await Deno.writeTextFile(`${folder}/${id}/${version}.json`, JSON.stringify(json));
  };
  try {
    await put("html", "0.2.0", { wasm_api_version: "0.5.0", provides: ["languages"] });
    await put("html", "0.10.0", { wasm_api_version: "0.7.0", provides: ["languages", "grammars"] });
    await put("agent", "1.0.0", { schema_version: 1, provides: ["agent-servers", "themes"] });
    await put("future", "1.0.0", { schema_version: 2 });
    await Deno.writeTextFile(`${outside}/1.0.0.tar.gz`, "secret");
    await Deno.symlink(`${outside}/1.0.0.tar.gz`, `${folder}/html/9.9.9.tar.gz`);
    await withHttp(["--extensions-dir", folder], (http) => body(http, folder));
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
}

async function list({ ask }: HttpServer, path: string, agent = "Zed/1.2.0 (linux)") {
  const answer = await ask(path, { headers: { "user-agent": agent } });
  assertEquals(answer.status, 200, path);
  return (await answer.json()).data as { id: string; version: string; provides: string[] }[];
}

Deno.test("[transport 7.1, 7.1.1, 7.1.3] lists show the newest versions, filtered and bounded", async () => {
  await withRegistry(async (http) => {
    const ids = async (query: string) =>
      (await list(http, `/extensions?${query}`)).map(({ id, version }) => `${id} ${version}`);
    assertEquals(await ids("max_schema_version=1"), ["agent 1.0.0", "html 0.10.0"]);
    assertEquals(await ids(""), ["html 0.10.0"]);
    assertEquals(await ids("max_schema_version=1&filter=hml"), ["html 0.10.0"]);
    assertEquals(await ids("max_schema_version=1&filter=lmth"), []);
    assertEquals(await ids("max_schema_version=1&provides=languages,grammars"), ["html 0.10.0"]);
    assertEquals(await ids("max_schema_version=1&provides=themes,nonsense"), ["agent 1.0.0"]);
    const [html] = await list(http, "/extensions?filter=html");
    assertEquals(html as unknown, {
      id: "html",
      name: "HTML",
      version: "0.10.0",
      authors: [],
      repository: "",
      schema_version: 0,
      wasm_api_version: "0.7.0",
      provides: ["languages", "grammars"],
      published_at: PUBLISHED,
      download_count: 0,
    });
    const versions = await list(http, "/extensions/html");
    assertEquals(versions.map(({ version }) => version), ["0.10.0", "0.2.0"]);
    assertEquals(await list(http, "/extensions/none"), []);
    const updates = await list(http, `/extensions/updates?${BOUNDS}&ids=html,none,future,agent`);
    assertEquals(updates.map(({ id, version }) => `${id} ${version}`), [
      "html 0.2.0",
      "agent 1.0.0",
    ]);
    assertEquals(await statusOf(http.ask("/extensions/updates?ids=html")), 400);
    assertEquals(await statusOf(http.ask(`/extensions/updates?${BOUNDS}`)), 400);
  });
});

Deno.test("[transport 7.1.2, T16] older clients see no kinds that they do not know", async () => {
  await withRegistry(async (http) => {
    for (
      const [agent, kinds] of [
        ["Zed/1.2.0 (linux)", ["agent-servers", "themes"]],
        ["Zed/0.191.0 (linux)", ["themes"]],
        ["curl/8", ["themes"]],
      ] as const
    ) {
      const [found] = await list(http, "/extensions/agent", agent);
      assertEquals(found?.provides, [...kinds], agent);
    }
  });
});

Deno.test("[transport 7.1.5, 7.1.6] archives come whole, and nothing outside the folder does", async () => {
  await withRegistry(async (http) => {
    const text = async (path: string) => {
      const answer = await http.ask(path);
      assertEquals([answer.status, answer.headers.get("content-type")], [200, "application/gzip"]);
      const body = await answer.text();
      assertEquals(answer.headers.get("content-length"), `${body.length}`);
      return body;
    };
    assertEquals(await text(`/extensions/html/download?${BOUNDS}`), "html 0.2.0");
    assertEquals(await text("/extensions/html/download"), "html 0.10.0");
    assertEquals(await text("/extensions/html/0.2.0/download"), "html 0.2.0");
    assertEquals(
      await statusOf(http.ask("/extensions/html/0.2.0/download", { method: "HEAD" })),
      200,
    );
    const refused = [
      "/extensions/none/download",
      "/extensions/html/9.9.9/download",
      "/extensions/html/1.0.0/download",
      "/extensions/..%2F/1.0.0/download",
      "/extensions/%2e%2e/1.0.0/download",
      "/extensions/html/..%2F..%2F1.0.0/download",
      "/extensions/html/1.0.0-..%2F..%2F1.0.0/download",
      "/extensions/..%5Chtml/1.0.0/download",
      "/extensions/html%00/1.0.0/download",
    ];
    for (const path of refused) {
      const answer = await http.ask(path);
      assertEquals(answer.status, 404, path);
      assertMatch(await answer.text(), /there is no/);
    }
    const why = async (path: string) => await (await http.ask(path)).text();
    assertEquals(
      await why("/extensions/none/download"),
      'there is no extension "none" on this server',
    );
    assertEquals(
      await why("/extensions/html/9.9.9/download"),
      'there is no version 9.9.9 of the extension "html" on this server',
    );
    const tooOld = BOUNDS.replace(/min_schema_version=\d+/, "min_schema_version=99");
    assertEquals(
      await why(`/extensions/html/download?${tooOld}`),
      'no version of the extension "html" runs in this Zed',
    );
  });
});
