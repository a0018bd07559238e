import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { constants, createPublicKey, privateDecrypt } from "node:crypto";
import { createToken } from "../../../db/access_tokens.ts";
import { openSqlite } from "../../../db/sqlite/open.ts";
import {
  encryptToken,
  NativeAppKeyError,
  parseNativeAppKey,
} from "../../../http/signin/native_app_key.ts";
import { createNativeApp } from "../../support/native_app.ts";

const app = createNativeApp();

Deno.test("[transport 4.1.3, 4.2.3] the editor's key is read, of every size", () => {
  assertEquals(app.publicKey.length, 360);
  assertMatch(app.publicKey, /^MIIBCgKCAQEA.*AQAB$/);
  for (const one of [app, createNativeApp(3072), createNativeApp(2056)]) {
    const key = parseNativeAppKey(one.publicKey);
    assertEquals(key.export({ format: "jwk" }), {
      ...createPublicKey(one.privateKey).export({ format: "jwk" }),
    });
    // A key whose length asks for padding may come with or without it.
    const bare = one.publicKey.replace(/=+$/, "");
    assertEquals(parseNativeAppKey(bare).asymmetricKeyDetails, key.asymmetricKeyDetails);
    assertEquals(one.decrypt(encryptToken(key, "text")), "text");
  }
});

Deno.test("[transport 4.2, 4.2.1, 4.2.2, T10] both encryptions; padded base64url; V1 unless told", () => {
  const key = parseNativeAppKey(app.publicKey);
  const current = encryptToken(key, "a token");
  assertEquals(current.length, 344);
  assertMatch(current, /^[\w-]{342}==$/);
  assertEquals(app.decrypt(current), "a token");
  assertEquals(app.decrypt(encryptToken(key, "a token", "V1")), "a token");
  const old = Uint8Array.fromBase64(encryptToken(key, "a token", "V0"), { alphabet: "base64url" });
  const plain = privateDecrypt(
    { key: app.privateKey, padding: constants.RSA_PKCS1_PADDING },
    old,
  );
  assertEquals(new TextDecoder().decode(plain), "a token");
  assertThrows(() => app.decrypt(encryptToken(key, "a token", "V0")));
});

Deno.test("[transport 4.2.4] tokens fit into one block, and into a header", async () => {
  const store = await openSqlite({ path: ":memory:" });
  const { id } = await store.createUser({ login: "ann", admin: false });
  const token = await createToken(store, id);
  assertEquals(/^[\x21-\x7e]{1,190}$/.test(token), true, token);
  assertEquals(app.decrypt(encryptToken(parseNativeAppKey(app.publicKey), token)), token);
  await store.close();
});

Deno.test("[transport 4.1.9] what is no key of enough bits is refused", () => {
  const spki = createPublicKey(app.privateKey).export({ type: "spki", format: "der" });
  const short = createNativeApp(1024).publicKey;
  const wrong = [
    "",
    "AAAA",
    "not base64url!",
    `${app.publicKey.slice(0, -8)}`,
    new Uint8Array(spki).toBase64({ alphabet: "base64url" }),
    short,
    "A".repeat(100_000),
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseNativeAppKey(text), NativeAppKeyError);
    assertMatch(error.message, /editor/);
  }
});
