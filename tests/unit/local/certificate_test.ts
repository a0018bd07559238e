import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type CertificateRequest,
  endOf,
  fingerprint,
  isOutdated,
  makeAuthority,
  makeCertificate,
} from "../../../local/certificate.ts";
import { IdentityFiles } from "../../../local/identity_files.ts";

const DAY = 24 * 60 * 60 * 1000;
const names = { hosts: ["ship.local", "localhost"], addresses: ["127.0.0.1", "fd00::2"] };

function request(more: Partial<CertificateRequest> = {}): CertificateRequest {
  return { ...names, now: Date.now(), ...more };
}

/** Whether a client that trusts `trusted` alone speaks TLS with a server that shows `identity`. */
async function isTrusted(
  identity: { certificate: string; key: string },
  trusted: string,
): Promise<void> {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: identity.certificate,
    key: identity.key,
    onListen: () => {},
  }, () => new Response("here"));
  try {
    using client = Deno.createHttpClient({ caCerts: [trusted] });
    const answer = await fetch(`https://127.0.0.1:${server.addr.port}/`, { client });
    assertEquals(await answer.text(), "here");
  } finally {
    await server.shutdown();
  }
}

Deno.test("[local 4] a self-signed certificate serves who trusts it, and nobody else", async () => {
  const identity = await makeCertificate(request());
  await isTrusted(identity, identity.certificate);
  const other = await makeCertificate(request());
  await assertRejects(() => isTrusted(identity, other.certificate), TypeError);
});

Deno.test("[local 4] a certificate is renewed before it ends and when a name is new", async () => {
  const now = Date.now();
  const { certificate } = await makeCertificate(request({ now }));
  assertEquals(isOutdated(certificate, request({ now })), false);
  assertEquals(isOutdated(certificate, request({ now: endOf(certificate) - 91 * DAY })), false);
  assertEquals(isOutdated(certificate, request({ now: endOf(certificate) - 89 * DAY })), true);
  assertEquals(isOutdated(certificate, request({ hosts: ["other.local"] })), true);
  assertEquals(isOutdated(certificate, request({ addresses: ["fd00:0::2"] })), false);
  assertEquals(isOutdated(certificate, request({ addresses: ["fd00::3"] })), true);
});

Deno.test("[local 4a] a certificate made anew keeps its key, so its fingerprint stays", async () => {
  const first = await makeCertificate(request());
  const second = await makeCertificate(request({ key: first.key, hosts: ["new.local"] }));
  assertNotEquals(first.certificate, second.certificate);
  assertEquals(fingerprint(second.certificate), fingerprint(first.certificate));
  assertNotEquals(
    fingerprint((await makeCertificate(request())).certificate),
    fingerprint(first.certificate),
  );
  await isTrusted(second, second.certificate);
});

Deno.test("[local 4b] who trusts the authority trusts what it has signed", async () => {
  const authority = await makeAuthority("ship", Date.now());
  const own = await makeCertificate(request());
  assertEquals(isOutdated(own.certificate, request({ authority })), true);
  const signed = await makeCertificate(request({ authority, key: own.key }));
  assertEquals(isOutdated(signed.certificate, request({ authority })), false);
  assertEquals(fingerprint(signed.certificate), fingerprint(own.certificate));
  await isTrusted(signed, authority.certificate);
});

Deno.test("[local 4] the files: kept, keys for their owner only, signed once there is an authority", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = new IdentityFiles(folder);
    const first = await files.certificate(names, Date.now());
    assertEquals(await files.certificate(names, Date.now()), first);
    assertEquals(Number((await Deno.stat(`${folder}/tls/key.pem`)).mode) & 0o777, 0o600);
    assertEquals(Number((await Deno.stat(`${folder}/tls`)).mode) & 0o777, 0o700);
    const authority = await files.makeAuthority("ship", Date.now());
    assertEquals(await files.makeAuthority("ship", Date.now()), authority);
    const signed = await files.certificate(names, Date.now());
    assert(signed.certificate !== first.certificate);
    assertEquals(signed.key, first.key);
    await isTrusted(signed, authority.certificate);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[local 4b] a certificate of another authority is outdated, though both have one name", async () => {
  const [authority, other] = [
    await makeAuthority("ship", Date.now()),
    await makeAuthority("ship", Date.now()),
  ];
  const { certificate } = await makeCertificate(request({ authority }));
  assertEquals(isOutdated(certificate, request({ authority })), false);
  assertEquals(isOutdated(certificate, request({ authority: other })), true);
  assertEquals(isOutdated(certificate, request()), true);
});
