import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";

/** The editor's part of a sign-in in the browser. [transport 4.1] */
export interface NativeApp {
  /** As in the query of `/native_app_signin`. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  /** A token as the editor reads it: padded base64url, OAEP with SHA-256, then PKCS#1 v1.5. */
  decrypt(text: string): string;
}

/** Makes a key pair as the editor does for every sign-in. */
export function createNativeApp(bits = 2048): NativeApp {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: bits,
    publicExponent: 65537,
    publicKeyEncoding: { type: "pkcs1", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const key = createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" });
  return {
    publicKey: new Uint8Array(publicKey).toBase64({ alphabet: "base64url" }),
    privateKey: key,
    decrypt(text) {
      if (text.length % 4 !== 0) throw new Error(`Cannot decode ${text}: the padding is missing`);
      const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const plain = privateDecrypt({ key, padding, oaepHash: "sha256" }, bytes);
      return new TextDecoder("utf-8", { fatal: true }).decode(plain);
    },
  };
}
