import { assert, assertEquals, assertMatch } from "@std/assert";
import { bundle } from "../support/bundle.ts";
import { startChromium, whyNoChromium } from "../support/chromium.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const hasNode = await new Deno.Command("node", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "parley-bundle-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a program does with the library, wherever it runs: sign in, ask, be cut off, come back. */
const PROGRAM = `
  const statuses = [];
  client.onStatus(({ name }) => statuses.push(name));
  await client.connection.connect();
  const room = await Room.create(client);
  const { users } = await client.request("GetUsers", { userIds: [client.userId] });
  const first = client.peerId.id;
  await client.reconnect();
  const second = client.peerId.id;
  await client.request("GetUsers", { userIds: [client.userId] });
  await room.leave();
  await client.drain();
  const result = { login: users[0].githubLogin, isOther: first !== second, statuses };
`;
const RESULT = {
  login: "ann",
  isOther: true,
  statuses: [
    ...["Authenticating", "Connecting", "Connected"],
    ...["ConnectionLost", "Reauthenticating", "Reconnecting", "Connected", "SignedOut"],
  ],
};

async function optionsFor(server: TestServer): Promise<string> {
  const { id, token } = await server.addUser("ann");
  return JSON.stringify({ serverUrl: server.url, credentials: { userId: id, token } });
}

Deno.test("[design 2] the client's bundles hold no code of the server, and that for pages none of Node", async () => {
  await inFolder(async (folder) => {
    const ours = /^(?:client|lib|proto|rpc|text)\//;
    for (
      const [entry, platform] of [["client/web.ts", "browser"], ["client/node.ts", "deno"]] as const
    ) {
      const { inputs, text } = await bundle(entry, folder, platform);
      assert(inputs.includes("client/peer.ts"), `the inputs of ${entry} are not found: ${inputs}`);
      const files = inputs.filter((input) => !/(?:^|\/)(?:node_modules|npm)\//.test(input));
      assertEquals(files.filter((file) => !ours.test(file)), [], entry);
      assertEquals(files.filter((file) => /^lib\/(?!clock\.ts$)/.test(file)), [], entry);
      assertEquals(files.filter((file) => /^rpc\/(?:routes|outbox|forward)/.test(file)), [], entry);
      if (platform === "browser") {
        assertEquals(files.filter((file) => file.startsWith("client/node/")), []);
        assert(
          !/\bfrom\s*"node:|\bimport\("node:|\brequire\("/.test(text),
          "it imports Node's modules",
        );
        assert(!/\bDeno\s*\./.test(text), "it uses Deno");
      }
    }
  });
});

Deno.test({
  name: `[transport 12.1] the bundle works in Node${hasNode ? "" : " (skipped: no Node here)"}`,
  ignore: !hasNode,
  fn: () =>
    inFolder(async (folder) => {
      await using server = await startServer();
      const { path } = await bundle("client/node.ts", folder, "deno");
      await Deno.writeTextFile(
        `${folder}/program.mjs`,
        `import { CollabClient, nodeHttpClient, nodeTransport, Room } from ${JSON.stringify(path)};
         const network = { environment: () => undefined };
         const client = new CollabClient({
           ...${await optionsFor(server)},
           transport: nodeTransport(network),
           http: nodeHttpClient({ ...network, userAgent: "Test/1.0.0 (linux; x86_64)" }),
         });
         ${PROGRAM}
         console.log(JSON.stringify(result));`,
      );
      const { success, stdout, stderr } = await new Deno.Command("node", {
        args: [`${folder}/program.mjs`],
        stdout: "piped",
        stderr: "piped",
      }).output();
      const decoder = new TextDecoder();
      assert(success, decoder.decode(stderr));
      assertEquals(JSON.parse(decoder.decode(stdout)), RESULT);
    }),
});

Deno.test({
  name: "[transport 11.2] the bundle works in a web page of another origin that the server names" +
    (whyNoChromium === undefined ? "" : ` (skipped: ${whyNoChromium})`),
  ignore: whyNoChromium !== undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  fn: () =>
    inFolder(async (folder) => {
      const { text } = await bundle("client/web.ts", folder, "browser");
      await using pages = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) =>
        request.url.endsWith(".mjs")
          ? new Response(text, { headers: { "content-type": "text/javascript" } })
          : new Response("<!doctype html><title>A page</title>", {
            headers: {
              "content-type": "text/html",
              // As strict as a page may be, but for the decoder's wasm.
              "content-security-policy":
                "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-inline'; connect-src *",
            },
          }));
      const origin = `http://127.0.0.1:${pages.addr.port}`;
      await using server = await startServer({ flags: ["--web-origins", origin] });
      const browser = await startChromium();
      try {
        const page = await browser.newPage();
        const errors: string[] = [];
        page.on("pageerror", (error) =>
          errors.push(String(error)));
        await page.goto(origin);
        const run = async (at: string) => {
          await page.addScriptTag({
            type: "module",
            content: `import { CollabClient, Room, webTransport } from "/client.mjs";
              const client = new CollabClient({ ...${at}, transport: webTransport() });
              globalThis.outcome = (async () => { ${PROGRAM} return result; })()
                .catch((error) => ({ name: error.name, message: error.message }));`,
          });
          // Asked from outside: the page's policy forbids what Playwright waits with.
          await waitUntil(() =>
            page.evaluate("globalThis.outcome !== undefined")
          );
          const outcome = await page.evaluate("globalThis.outcome");
          await page.evaluate("delete globalThis.outcome");
          return outcome as Record<string, unknown>;
        };
        assertEquals(await run(await optionsFor(server)), RESULT);
        assertEquals(errors, []);

        // A page that nobody named gets nothing, with the best token.
        await using closed = await startServer();
        const refused = await run(await optionsFor(closed));
        assertMatch(String(refused.message), /Cannot reach/);
        assertEquals(closed.server.actors.registry.connections.size, 0);
        await waitUntil(() => server.server.actors.registry.connections.size === 0);
      } finally {
        await browser.close();
      }
    }),
});
