import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../cli/args.ts";
import { runDoctor } from "../../cli/doctor.ts";
import { Findings } from "../../cli/doctor/findings.ts";
import { examineServerUrl } from "../../cli/doctor/server_url.ts";
import { addUsers, listUsers } from "../../db/accounts.ts";
import { DataDirError } from "../../lib/data_dir.ts";
import {
  certificate,
  examine,
  expectTroubles,
  isHandshake,
  NO_DATA,
  pem,
  signIn,
  throughProxy,
} from "../support/doctor.ts";
import { freePort } from "../support/free_port.ts";
import { answer, HeaderProxy, withHeader, without } from "../support/header_proxy.ts";
import { startServer } from "../support/server.ts";

Deno.test("[issue 3 run] doctor: a healthy server of the data folder, signed in with an account of its own", async () => {
  await using server = await startServer();
  const report = await examine([], {}, { PARLEY_DATA_DIR: server.dataDir });
  assertEquals(report.url, server.url);
  expectTroubles(report, []);
  assertMatch(report.step("hello")!.text, /^Hello to peer \d+:\d+ after \d+ ms$/);
  assertStringIncludes(report.step("pushes")!.text, "ShowContacts, UpdateContacts");
  assertEquals(report.step("liveness")!.outcome, "pass");
  assertEquals(await listUsers(server.server.store), []);

  // One that was ended before its time has left its account.
  await addUsers(server.server.store, ["parley-doctor"], { admin: false });
  expectTroubles(await examine([], {}, { PARLEY_DATA_DIR: server.dataDir }), []);
  assertEquals(await listUsers(server.server.store), []);
});

Deno.test("[issue 3 run] doctor: its lines for people have a mark, and what to do where needed", async () => {
  const lines: string[] = [];
  const output = { result: (text: string) => void lines.push(text), note: () => {} };
  await using server = await startServer();
  assertEquals(await runDoctor([`${server.url}/`], NO_DATA, output), 0);
  assertEquals(lines.map((line) => line.charAt(0)).slice(0, 4), ["!", "✓", "✓", "✓"]);
  assertStringIncludes(lines[0]!, `→ Write "${server.url}"`);
  assertEquals(lines.some((line) => line.startsWith("✗")), false);
  lines.length = 0;
  assertEquals(await runDoctor(["nowhere"], NO_DATA, output), 1);
  assertEquals(lines[0]!.split("\n").length, 3);
  assertMatch(lines[0]!, /^✗ url {8}"nowhere" is no URL/);
  assertMatch(lines.at(-1)!, /One problem keeps a Zed from collaborating there/);
});

Deno.test("[issue 3 run] doctor: signs in as told, by id or on the server's machine by login", async () => {
  await using server = await startServer();
  const { id, token } = await server.addUser("ann");
  const env = { PARLEY_DATA_DIR: server.dataDir };
  for (const login of [String(id), "Ann"]) {
    const report = await examine(["--login", login, "--token", token], {}, env);
    expectTroubles(report, []);
    assertStringIncludes(report.step("handshake")!.text, `user ${id}`);
  }
  await assertRejects(
    () => examine(["--login", "bob", "--token", token], {}, env),
    UsageError,
    'Cannot tell the id of "bob"',
  );
  const wrong = await examine(["--login", String(id), "--token", "wrong"], {}, env);
  expectTroubles(wrong, ["failure handshake"]);
  const nobody = await examine([server.url]);
  expectTroubles(nobody, ["warning handshake"]);
  assertEquals(nobody.step("headers")!.outcome, "pass");
});

Deno.test("[issue 3 run] doctor: another server than the one of this machine is not blamed", async () => {
  await using server = await startServer();
  await using other = await startServer();
  const report = await examine([other.url], {}, { PARLEY_DATA_DIR: server.dataDir });
  expectTroubles(report, ["warning handshake"]);
  assertEquals([report.ok, report.code], [true, 0]);
  assertStringIncludes(report.step("handshake")!.text, `the server of this machine, ${server.url}`);
  const wrong = ["--login", "1", "--token", "wrong"];
  const given = await examine([other.url, ...wrong], {}, { PARLEY_DATA_DIR: server.dataDir });
  expectTroubles(given, ["failure handshake"]);
});

Deno.test("[issue 3 run] doctor: a data folder that cannot be opened is named, unless a URL is given", async () => {
  await using server = await startServer();
  const folder = `${server.dataDir}/file`;
  await Deno.writeTextFile(folder, "");
  const env = { PARLEY_DATA_DIR: folder };
  await assertRejects(() => examine([], {}, env), DataDirError, folder);
  expectTroubles(await examine([server.url], {}, env), ["warning handshake"]);
});

Deno.test("[issue 3 run] doctor: command lines that make no sense", async () => {
  for (
    const [args, text] of [
      [[], "none runs on the data folder"],
      [["http://a", "http://b"], "give one URL"],
      [["http://a", "--login", "1"], "belong together"],
      [["http://a", "--token"], "--token: it needs a value"],
      [["http://a", "--login", "1", "--token", "a b"], "characters that no header can hold"],
      [["http://a", "--port", "1"], "--port"],
    ] as const
  ) {
    await assertRejects(() => examine(args), UsageError, text);
  }
});

Deno.test("[transport 8.1.3] [transport T8] doctor: forms of the URL", () => {
  const judged = (text: string) => {
    const findings = new Findings();
    const usable = examineServerUrl(text, findings) !== undefined;
    return `${findings.all.map(({ outcome }) => outcome)} ${usable ? "go on" : "stop"}`;
  };
  for (
    const [text, expected] of [
      ["https://parley.example.com", "pass go on"],
      ["http://127.0.0.1:8080", "pass go on"],
      ["http://localhost:8080", "pass go on"],
      ["http://[::1]:8080", "pass go on"],
      ["https://parley.example.com/", "warning go on"],
      ["https://example.com/parley", "pass go on"],
      ["http://parley.example.com", "warning go on"],
      ["http://localhost:3000", "failure go on"],
      ["http://localhost:3000/", "warning go on"],
      ["wss://parley.example.com", "failure go on"],
      ["ws://127.0.0.1:8080", "failure go on"],
      ["https://zed.dev", "failure stop"],
      ["parley.example.com", "failure stop"],
      ["parley.example.com:8080", "failure stop"],
      ["ftp://parley.example.com", "failure stop"],
      ["https://parley.example.com?team=1", "failure stop"],
      ["https://parley.example.com#", "failure stop"],
      ["https://ann:secret@parley.example.com", "failure stop"],
    ] as const
  ) {
    assertEquals(judged(text), expected, text);
  }
});

Deno.test("[transport 8.1.1] doctor: a slash at the end is asked for literally", async () => {
  const asked: string[] = [];
  const report = await throughProxy({
    request: (head) => {
      asked.push(head.split(" ", 2)[1]!);
      return head;
    },
  });
  expectTroubles(report, []);
  assertEquals(asked.slice(0, 2), ["/healthz", "/rpc"]);
  await using server = await startServer();
  await using between = new HeaderProxy({
    target: server.url,
    request: (head) => head.startsWith("GET //") ? { answer: answer(404) } : head,
  });
  expectTroubles(await examine([`${between.url}/`]), [
    "warning url",
    "warning health",
    "failure discovery",
  ]);
});

Deno.test("[transport 1.4.1] doctor: a proxy in the environment is named, without its password", async () => {
  await using server = await startServer();
  const report = await examine([server.url], {}, {
    ...NO_DATA,
    https_proxy: "http://ann:secret@proxy.example:3128",
  });
  expectTroubles(report, ["warning proxy", "warning handshake"]);
  assertStringIncludes(report.step("proxy")!.text, "https_proxy is set here to http://…@proxy");
});

Deno.test("[transport 1.2.1] doctor: a name without an address", async () => {
  const report = await examine(["https://parley.example.com"], {
    resolve: () => Promise.reject(Object.assign(new Error("?"), { code: "ENOTFOUND" })),
  });
  expectTroubles(report, ["failure dns"]);
  assertStringIncludes(report.step("dns")!.text, "unknown name");
});

Deno.test("[transport 1.2.1] doctor: a port that nobody listens on, and an address of several", async () => {
  const report = await examine([`http://127.0.0.1:${freePort()}`]);
  expectTroubles(report, ["failure tcp"]);
  assertStringIncludes(report.step("tcp")!.text, "127.0.0.1: refused");

  await using server = await startServer();
  const url = new URL(server.url);
  const several = await examine([`http://parley.example.com:${url.port}`], {
    resolve: () => Promise.resolve(["::1", "127.0.0.1"]),
  });
  assertEquals(several.step("tcp")!.outcome, "warning");
  assertEquals(several.step("upgrade")!.outcome, "pass");
});

const forwarded = (head: string) => withHeader(head, "x-forwarded-proto: https");

Deno.test("[transport 1.3.1] doctor: a good certificate, and a whole session behind a TLS proxy", async () => {
  const report = await throughProxy({ tls: certificate("good"), request: forwarded });
  expectTroubles(report, []);
  assertStringIncludes(report.step("tls")!.text, "until 2120-01-01");
});

for (
  const { name, authorities, says } of [
    { name: "self_signed", authorities: undefined, says: "self-signed" },
    { name: "expired", authorities: undefined, says: "expired on 2021-01-01" },
    { name: "elsewhere", authorities: undefined, says: "elsewhere.example" },
    { name: "good", authorities: ["self_signed.pem"], says: "not known here" },
  ]
) {
  Deno.test(`[transport 1.3.1] doctor: a certificate that is ${says}; no credentials go there`, async () => {
    let leaked = false;
    const report = await throughProxy(
      {
        tls: certificate(name),
        request: (head) => {
          // Those of nobody, which tell whether the header passes, are not secret.
          if (/^authorization:(?!.* parley-doctor)/im.test(head)) leaked = true;
          return forwarded(head);
        },
      },
      authorities === undefined ? {} : { authorities: authorities.map(pem) },
    );
    expectTroubles(report, ["failure tls", "warning handshake"]);
    assertStringIncludes(report.step("tls")!.text, says);
    assertEquals(report.step("upgrade")!.outcome, "pass");
    assertEquals(leaked, false);
  });
}

Deno.test("[transport 1.3.3] doctor: http for a TLS port, https for a plain one", async () => {
  await using server = await startServer();
  const secure = server.url.replace("http:", "https:");
  const plain = await examine([secure]);
  expectTroubles(plain, ["failure tls"]);
  assertStringIncludes(plain.step("tls")!.text, "does not speak TLS");
  await using between = new HeaderProxy({ target: server.url, tls: certificate("good") });
  const encrypted = await examine([between.url.replace("https:", "http:")]);
  expectTroubles(encrypted, ["failure health"]);
  assertStringIncludes(encrypted.step("health")!.remedy!, between.url);
});

Deno.test("[transport 6.3b] doctor: a server behind the proxy that is away, ill, silent or none", async () => {
  const healthz = (told: string) => (head: string) =>
    head.startsWith("GET /healthz ") ? { answer: told } : head;
  for (
    const [told, outcome, says] of [
      [answer(502), "failure", "502"],
      [answer(503, "the database takes no writes"), "failure", "the database takes no writes"],
      [answer(404), "warning", "404"],
      [answer(200, "<html>"), "warning", "<html>"],
    ] as const
  ) {
    const report = await throughProxy({ request: healthz(told) });
    expectTroubles(report, [`${outcome} health`]);
    assertStringIncludes(report.step("health")!.text, says);
  }
  const other = await throughProxy({ request: () => ({ answer: "220 mail.example ESMTP\r\n" }) });
  expectTroubles(other, ["failure health"]);
  assertStringIncludes(other.step("health")!.text, "does not speak HTTP");
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const accepted = (async () => {
    for await (const connection of silent) taken.push(connection);
  })();
  const report = await examine([`http://127.0.0.1:${silent.addr.port}`], { patience: 2_000 });
  expectTroubles(report, ["failure health"]);
  silent.close();
  await accepted;
  for (const connection of taken) connection.close();
});

Deno.test("[issue 3 run] doctor: clocks that differ", async () => {
  const report = await throughProxy({
    response: (head) => withHeader(without(head, "date"), "date: Sat, 01 Jan 2000 00:00:00 GMT"),
  });
  expectTroubles(report, ["warning clock"]);
  assertMatch(report.step("clock")!.text, /\d+ minutes behind this one/);
});

Deno.test("[transport 1.1.4, 1.1.5, 1.1.6] [transport T1] doctor: answers to GET /rpc that no Zed takes", async () => {
  const redirect = (told: string) => (head: string) =>
    head.startsWith("GET /rpc ") && !isHandshake(head) ? { answer: told } : head;
  for (
    const [told, says, goesOn] of [
      [answer(200, "<html>"), "200", false],
      [answer(404), "404", false],
      [answer(502), "502", false],
      [answer(401, "", { "www-authenticate": "Basic" }), "401", true],
      [answer(302), "it names no location", true],
      [answer(302, "", { location: "/rpc" }), "not absolute", true],
      [answer(302, "", { location: "wss://parley.example.com/rpc" }), "scheme must be", true],
    ] as const
  ) {
    const report = await throughProxy({ request: redirect(told) });
    expectTroubles(report, ["failure discovery"]);
    assertStringIncludes(report.step("discovery")!.text.toLowerCase(), says);
    assertEquals(report.step("liveness") !== undefined, goesOn, says);
  }
});

Deno.test("[transport 1.1.8] doctor: a proxy that adds Upgrade to every request", async () => {
  const report = await throughProxy({
    request: (head) =>
      head.startsWith("GET /rpc ") && !isHandshake(head)
        ? withHeader(
          withHeader(without(head, "connection"), "connection: upgrade"),
          "upgrade: websocket",
        )
        : head,
  });
  expectTroubles(report, ["failure discovery"]);
  assertStringIncludes(report.step("discovery")!.meaning!, "adds Upgrade to each request");
});

Deno.test("[transport 1.1.8] doctor: PUBLIC_URL or the proxy leads to an inner address, or out of TLS", async () => {
  await using server = await startServer({ flags: ["--public-url", "http://10.0.0.7:8080"] });
  const name = `http://parley.example.com:${new URL(server.url).port}`;
  const resolve = () => Promise.resolve(["127.0.0.1"]);
  const inner = await examine([name, ...await signIn(server)], { resolve });
  expectTroubles(inner, ["warning url", "failure discovery"]);
  assertStringIncludes(inner.step("discovery")!.remedy!, `PUBLIC_URL=${name}`);
  assertEquals(inner.step("liveness")!.outcome, "pass");

  const plain = await throughProxy({ tls: certificate("good") });
  expectTroubles(plain, ["failure discovery"]);
  assertStringIncludes(plain.step("discovery")!.meaning!, "leaves TLS");
});

Deno.test("[transport 8.1.2] doctor: the redirect leaves the path under which the proxy has the server", async () => {
  const unprefixed = (head: string) => head.replace(" /zed/", " /");
  await using server = await startServer();
  await using between = new HeaderProxy({ target: server.url, request: unprefixed });
  const lost = await examine([`${between.url}/zed`, ...await signIn(server)]);
  expectTroubles(lost, ["failure discovery"]);
  assertStringIncludes(lost.step("discovery")!.remedy!, `PUBLIC_URL=${between.url}/zed;`);
  assertEquals(lost.step("liveness")!.outcome, "pass");

  await using right = new HeaderProxy({
    target: server.url,
    request: unprefixed,
    response: (head) => head.replace(/^(location: .*)\/rpc/im, "$1/zed/rpc"),
  });
  expectTroubles(await examine([`${right.url}/zed`, ...await signIn(server)]), []);
});

Deno.test("[transport 1.1.8] doctor: PUBLIC_URL is another place, which is examined too", async () => {
  await using server = await startServer({ flags: ["--public-url", "http://parley.test:9"] });
  const port = new URL(server.url).port;
  const resolve = () => Promise.resolve(["127.0.0.1"]);
  const away = await examine([server.url], { resolve });
  expectTroubles(away, ["warning discovery", "failure tcp"]);
  assertStringIncludes(away.step("discovery")!.text, "http://parley.test:9/rpc");

  await using between = new HeaderProxy({
    target: server.url,
    response: (head) => head.replace("http://parley.test:9/", `http://localhost:${port}/`),
  });
  const there = await examine([between.url, ...await signIn(server)], { resolve });
  expectTroubles(there, ["warning discovery"]);
  assertEquals(there.step("liveness")!.outcome, "pass");
});
