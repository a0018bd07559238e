/**
 * A server that no authority vouches for, known by its public key: what was compared at pairing.
 * [local 4a]
 */
import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { ConnectError } from "../errors.ts";

/** SHA-256 of a certificate's public key (SPKI), in lower-case hex: what servers call fingerprint. */
export function publicKeyFingerprint(certificate: Uint8Array): string {
  const { publicKey } = new X509Certificate(certificate);
  return createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest(
    "hex",
  );
}

/**
 * Checks whom a connection leads to.
 *
 * @param pin as people write it: case and spaces do not matter
 * @throws {ConnectError} it is another key
 */
export function checkPin(socket: TLSSocket, pin: string): void {
  const { raw } = socket.getPeerCertificate();
  const found = raw === undefined ? "" : publicKeyFingerprint(raw);
  const [a, b] = [found, normalizePin(pin)].map((text) => new TextEncoder().encode(text));
  if (a!.length !== b!.length || !timingSafeEqual(a!, b!)) {
    throw new ConnectError(
      "Cannot trust this server: its key is another than at pairing. Either somebody stands between, " +
        `or it was set up anew; then pair with it again. Its fingerprint is ${found || "missing"}`,
    );
  }
}

/** A fingerprint without what people put between its digits. */
export function normalizePin(pin: string): string {
  return pin.toLowerCase().replaceAll(/[\s:]/g, "");
}

/** The certificates that a server shows, as authorities for the connection that verifies them: PEM. */
export function presentedCertificates(socket: TLSSocket): readonly string[] {
  const found: string[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (let depth = 0; depth < 4 && certificate?.raw !== undefined; depth++) {
    const pem = new X509Certificate(certificate.raw).toString();
    if (found.includes(pem)) break;
    found.push(pem);
    certificate = certificate.issuerCertificate;
  }
  return found;
}
