/** The local mode as its user has it: commands, a home folder, Zed on the same machine. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import type { Peer } from "../../client/peer.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { Browser } from "../support/browser.ts";
import { LocalShell } from "../support/local_shell.ts";
import { NativeListener } from "../support/native_app.ts";
import type { Printing } from "../support/printing.ts";
import { signInPath } from "../support/sign_in.ts";

/** On loopback alone: what other machines see is tested in `tests/network`. */
const ALONE = ["serve-local", "--port", "0", "--interfaces", "none"];

async function urlOf(server: Printing): Promise<string> {
  return (await server.match(/This machine +(http:\/\/127\.0\.0\.1:\d+)/))[1] as string;
}

function login(url: string, userId: number, token: string): Promise<Peer> {
  return connect({
    serverUrl: url,
    transport: denoTransport,
    credentials: { userId, token },
    dispatcher: new Dispatcher(),
  });
}

interface Paired {
  readonly status: number;
  readonly error?: string;
  readonly user_id: number;
  readonly login: string;
  readonly access_token: string;
}

async function pairAt(url: string, body: Record<string, string>): Promise<Paired> {
  const answer = await fetch(`${url}/local/pair`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...await answer.json() };
}

Deno.test("[local 1] [local 1a] [local 1b] [local 1c] [local 3e] [local 4c] from nothing to a connected editor, by a name alone", async () => {
  await using shell = await LocalShell.open();
  await using server = shell.start(...ALONE);
  const url = await urlOf(server);
  assertStringIncludes(server.output, `Zed's settings  "server_url": "${url}"`);
  assert(!server.output.includes("Pairing code"), "Nobody else can come");
  assertEquals(server.errors, "");

  await using editor = new NativeListener(url);
  const browser = new Browser(url);
  const page = await browser.open(signInPath(editor.app, editor.port));
  const form = page.forms.find(({ action }) => action.endsWith("/pair"));
  assert(form !== undefined && !("code" in form.fields), page.text);
  const sent = await browser.submit(form, { name: "Ada Lovelace" });
  await (await fetch(sent.location as string, { redirect: "manual" })).body?.cancel();
  const { id, token } = await editor.credentials;

  const peer = await login(url, id, token);
  await peer.request("Ping", {});
  assertEquals(await server.end(), 0);
  await peer.closed;
  await Deno.stat(`${shell.home}/.local/share/parley/local/parley.sqlite`);

  // The same people are there at the next start.
  await using again = shell.start(...ALONE);
  const other = await urlOf(again);
  const back = await login(other, id, token);
  back.close();
  await back.closed;
});

Deno.test("[local 1a] a database in memory is warned of, and leaves no file", async () => {
  await using shell = await LocalShell.open();
  await using server = shell.start(...ALONE, "--database-url", "sqlite::memory:?mode=rwc");
  const url = await urlOf(server);
  await server.matchErrors(/WARNING: the database is in memory/);
  assertEquals((await pairAt(url, { name: "Ada", device: "test" })).status, 200);
  await assertRejects(
    () => Deno.stat(`${shell.home}/.local/share/parley/local/parley.sqlite`),
    Deno.errors.NotFound,
  );
});

Deno.test("[local 1] two servers of one machine: neither port nor folder is shared, and that is said", async () => {
  await using shell = await LocalShell.open();
  await using first = shell.start(...ALONE);
  const url = await urlOf(first);
  const folder = await shell.run(...ALONE);
  assertEquals(folder.code, 1);
  assertStringIncludes(folder.errors, "another Parley is running on it");
  assertStringIncludes(folder.errors, "--data-dir");

  const { port } = new URL(url);
  const [other, taken] = [`${shell.home}/other`, ["--interfaces", "none", "--port", port]];
  const refused = await shell.run("serve-local", ...taken, "--data-dir", other);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.errors, `:${port}: another program uses this port`);

  await using second = shell.start(...ALONE, "--data-dir", other);
  const secondUrl = await urlOf(second);
  assertEquals((await pairAt(url, { name: "Ada", device: "one" })).user_id, 1);
  assertEquals((await pairAt(secondUrl, { name: "Bob", device: "two" })).user_id, 1);
  assertStringIncludes((await shell.run("devices", "--data-dir", other)).output, "bob");
});

Deno.test("[local 3] [local 3b] [local 3c] [local 3d] pair and devices: a code is shown, becomes a device, is revoked with its connections", async () => {
  await using shell = await LocalShell.open();
  await using server = shell.start(...ALONE, "--require-auth", "true");
  const url = await urlOf(server);
  const [, shown] = await server.match(/Pairing code +(\S+)/);
  assertEquals((await pairAt(url, { name: "Ada", device: "test" })).status, 401);
  const said = await shell.run("pair", "--json");
  assertEquals(JSON.parse(said.output).code, shown);

  const ada = await pairAt(url, { code: shown as string, name: "Ada", device: "ship's desk" });
  assertEquals(ada.status, 200);
  await server.match(/^Pairing code: \S+ \(until \d\d:\d\d\)$/m);
  const next = await shell.run("pair");
  assertMatch(next.output, /^[2-9A-Z]{4}-[2-9A-Z]{4} +good until /);
  assert(!next.output.includes(shown as string), "A code is good once");
  const mine = JSON.parse((await shell.run("pair", "ada", "--json")).output).code;
  const tablet = await pairAt(url, { code: mine, device: "tablet" });
  assertEquals([tablet.login, tablet.user_id], ["ada", ada.user_id]);

  const listed = JSON.parse((await shell.run("devices", "--json")).output);
  const names = listed.map(({ login, label }: { login: string; label: string }) => [login, label]);
  assertEquals(names.sort(), [["ada", "ship's desk"], ["ada", "tablet"]]);
  const text = (await shell.run("devices")).output;
  assertMatch(text, /^id +user +device +last used\n/);
  assertMatch(text, /ada +tablet +never/);

  const [kept, thrown] = await Promise.all([
    login(url, ada.user_id, ada.access_token),
    login(url, tablet.user_id, tablet.access_token),
  ]);
  const { id } = listed.find(({ label }: { label: string }) => label === "tablet");
  assertStringIncludes((await shell.run("devices", "revoke", id)).output, `Revoked device ${id}`);
  await thrown.closed;
  await kept.request("Ping", {});
  await assertRejects(() => login(url, tablet.user_id, tablet.access_token));
  const twice = await shell.run("devices", "revoke", id);
  assertEquals(twice.code, 1);
  assertStringIncludes(twice.errors, "there is none");
  kept.close();
  await kept.closed;
});

Deno.test("[local 3c] a browser is a device too", async () => {
  await using shell = await LocalShell.open();
  await using server = shell.start(...ALONE);
  const url = await urlOf(server);
  const browser = new Browser(url);
  const [form] = (await browser.open("/pair")).forms;
  await browser.submit(form!, { name: "Ada" });
  assertEquals((await browser.open("/account")).status, 200);
  const [device] = JSON.parse((await shell.run("devices", "--json")).output);
  assertMatch(device.id, /^browser-/);
  assertEquals((await shell.run("devices", "revoke", device.id)).code, 0);
  assertEquals((await browser.open("/account")).status, 303);
  assertEquals((await shell.run("devices")).output, "No device is paired\n");
});

Deno.test("[local 3a] who has tried too often waits, until pair --unlock", async () => {
  await using shell = await LocalShell.open();
  await using server = shell.start(...ALONE, "--require-auth", "true");
  const url = await urlOf(server);
  const [, code] = await server.match(/Pairing code +(\S+)/);
  const attempt = (code: string) => pairAt(url, { code, name: "Ada", device: "test" });
  for (let i = 0; i < 5; i++) assertEquals((await attempt("AAAA-AAAA")).status, 401);
  assertEquals((await attempt(code as string)).status, 429);
  assertEquals((await shell.run("pair", "--unlock")).code, 0);
  assertEquals((await attempt(code as string)).status, 200);
});

Deno.test("[local 3] commands that make no sense, or find no server, say what to do", async () => {
  await using shell = await LocalShell.open();
  for (
    const [args, words] of [
      [["pair"], "start serve-local first"],
      [["devices"], "start serve-local first"],
      [["pair", "a", "b"], "give one login"],
      [["devices", "revoke"], "there are list and revoke <id>"],
      [["discover", "x"], "give no name"],
      [["serve-local", "--frobnicate"], "--frobnicate is not an option"],
      [["serve-local", "--interfaces", "nothing0", "--port", "0", "--log-level", "x"], "log-level"],
    ] as const
  ) {
    const { code, errors } = await shell.run(...args);
    assertEquals(code, 1, args.join(" "));
    assertStringIncludes(errors, words);
    assert(!errors.includes("defect"), errors);
  }
});
