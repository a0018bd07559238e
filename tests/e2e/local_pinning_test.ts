/** Clients that know a server by the fingerprint of pairing, and by nothing else. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { nodeHttpClient } from "../../client/node/http_client.ts";
import { ConnectError } from "../../client/errors.ts";
import {
  fingerprint,
  type Identity,
  makeAuthority,
  makeCertificate,
  readableFingerprint,
} from "../../local/certificate.ts";

const names = { hosts: ["localhost"], addresses: ["127.0.0.1"] };

/** A server that shows this certificate, and what it was sent. */
class Shown implements AsyncDisposable {
  requests = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor({ certificate, key }: Identity, chain = "") {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      cert: certificate + "\n" + chain,
      key,
      onListen: () => {},
    }, () => {
      this.requests++;
      return new Response("here");
    });
  }

  async text(pin: string | undefined, ca?: readonly string[]): Promise<string> {
    const http = nodeHttpClient({ pin, ca, environment: () => undefined });
    try {
      return await (await http.request(`https://127.0.0.1:${this.#server.addr.port}/`)).text();
    } finally {
      http.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("[local 4a] a client that has the fingerprint reaches a server that signs itself", async () => {
  const identity = await makeCertificate({ ...names, now: Date.now() });
  await using server = new Shown(identity);
  const pin = fingerprint(identity.certificate);
  assertEquals(await server.text(pin), "here");
  assertEquals(await server.text(readableFingerprint(pin).toUpperCase()), "here");
  await assertRejects(() => server.text(undefined), ConnectError);
});

Deno.test("[local 4a] another key is refused before anything is sent, whoever has signed it", async () => {
  const pinned = await makeCertificate({ ...names, now: Date.now() });
  const authority = await makeAuthority("ship", Date.now());
  const other = await makeCertificate({ ...names, now: Date.now(), authority });
  await using server = new Shown(other, authority.certificate);
  const error = await assertRejects(
    () => server.text(fingerprint(pinned.certificate), [authority.certificate]),
    ConnectError,
  );
  assertStringIncludes(error.message, "its key is another than at pairing");
  assertStringIncludes(error.message, fingerprint(other.certificate));
  assertEquals(server.requests, 0);
});

Deno.test("[local 4a] the fingerprint stays good when the server renews, and when an authority signs", async () => {
  const first = await makeCertificate({ ...names, now: Date.now() });
  const pin = fingerprint(first.certificate);
  const renewed = await makeCertificate({
    ...names,
    hosts: ["localhost", "new.local"],
    now: Date.now(),
    key: first.key,
  });
  {
    await using server = new Shown(renewed);
    assertEquals(await server.text(pin), "here");
  }
  const authority = await makeAuthority("ship", Date.now());
  const signed = await makeCertificate({ ...names, now: Date.now(), key: first.key, authority });
  await using server = new Shown(signed, authority.certificate);
  assertEquals(await server.text(pin), "here");
});
