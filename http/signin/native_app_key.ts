/** The editor's public key, and tokens that only the editor can read. [transport 4.1.3, 4.2] */
import { constants, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto";

/** Shortest modulus that is taken, in bits. [transport 4.1.9] */
const LEAST_BITS = 2048;
/** Longest: a larger key costs time and says nothing more. */
const MOST_BITS = 8192;
/** Characters of the largest key's text, with room. */
const MOST_CHARACTERS = 2048;

/** `V1`: RSA-OAEP with SHA-256, for all clients since 2024. `V0`: PKCS#1 v1.5, for older ones. */
export type TokenEncryption = "V0" | "V1";

/** A key that cannot be used; the message says why. */
export class NativeAppKeyError extends Error {
  override readonly name = "NativeAppKeyError";
}

/**
 * Reads a key as the editor sends it: base64url of the DER of a PKCS#1 `RSAPublicKey`.
 *
 * @throws {NativeAppKeyError}
 */
export function parseNativeAppKey(text: string): KeyObject {
  if (!/^[\w-]+={0,2}$/.test(text) || text.length > MOST_CHARACTERS) {
    throw new NativeAppKeyError("The editor's key is not base64url: start again in the editor");
  }
  let key: KeyObject;
  try {
    const der = Uint8Array.fromBase64(text.replace(/=+$/, ""), { alphabet: "base64url" });
    // Typed by Node for buffers only; any bytes will do.
    key = createPublicKey({ key: der as never, format: "der", type: "pkcs1" });
  } catch (cause) {
    throw new NativeAppKeyError(
      "The editor's key is no PKCS#1 RSA public key: start again in the editor",
      { cause },
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < LEAST_BITS || bits > MOST_BITS) {
    throw new NativeAppKeyError(
      `The editor's key has ${bits} bits: it must have ${LEAST_BITS} to ${MOST_BITS}`,
    );
  }
  return key;
}

/** The encrypted text in base64url with padding, without which editors refuse it. [transport 4.2.2] */
export function encryptToken(
  key: KeyObject,
  token: string,
  encryption: TokenEncryption = "V1",
): string {
  const padding = encryption === "V1"
    ? { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }
    : { padding: constants.RSA_PKCS1_PADDING };
  const cipher = publicEncrypt({ key, ...padding }, new TextEncoder().encode(token));
  return new Uint8Array(cipher).toBase64({ alphabet: "base64url" });
}
