/** The key pair of one sign-in, and what is encrypted with it. [transport 4.1] [transport 4.2] */
import { base64Url, fromBase64 } from "../base64.ts";

/** Bytes before the PKCS#1 key in the SPKI of a 2048-bit RSA key. */
const SPKI_HEAD = 24;

/** Opens what was encrypted in the older format, RSAES-PKCS1-v1_5, which WebCrypto lacks. */
export type DecryptOld = (
  privateKey: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
) => Uint8Array;

/** A key pair that lives as long as one sign-in. */
export interface NativeKey {
  /** For `native_app_public_key`: base64url of the PKCS#1 `RSAPublicKey`. [transport 4.1.3] */
  readonly publicKey: string;
  /** A token as a server sends it. @throws {Error} it is none for this key. [transport 4.2.1] */
  decrypt(text: string): Promise<string>;
}

/** Makes a pair of 2048 bits. [transport 4.2.5] */
export async function createNativeKey(decryptOld?: DecryptOld): Promise<NativeKey> {
  const { subtle } = globalThis.crypto;
  const pair = await subtle.generateKey(
    {
      name: "RSA-OAEP",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["encrypt", "decrypt"],
  );
  const spki = new Uint8Array(await subtle.exportKey("spki", pair.publicKey));
  return {
    publicKey: base64Url(spki.subarray(SPKI_HEAD)),
    async decrypt(text) {
      const bytes = fromBase64(text);
      const decoder = new TextDecoder("utf-8", { fatal: true });
      try {
        return decoder.decode(await subtle.decrypt("RSA-OAEP", pair.privateKey, bytes));
      } catch (cause) {
        if (decryptOld === undefined) {
          throw new Error("Cannot decrypt the token: it is not for this sign-in", { cause });
        }
        const privateKey = new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey));
        return decoder.decode(decryptOld(privateKey, bytes));
      }
    },
  };
}
