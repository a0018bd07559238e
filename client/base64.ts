/** Base64 also where the platform's own is younger than what the library runs on. */

/** With padding, in the usual alphabet. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** With padding, in the alphabet of URLs. */
export function base64Url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Reads either alphabet.
 *
 * @throws {SyntaxError} it is no base64, or its padding is missing.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const usual = text.replaceAll("-", "+").replaceAll("_", "/");
  if (usual.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(usual)) {
    throw new SyntaxError("Cannot read base64: a character or the padding is wrong");
  }
  return Uint8Array.from(atob(usual), (character) => character.charCodeAt(0));
}
