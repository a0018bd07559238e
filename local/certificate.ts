/** Certificates of a server that nobody else vouches for. [local 4] */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createHash, X509Certificate } from "node:crypto";

x509.cryptoProvider.set(crypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 24 * 60 * 60 * 1000;
/** The most that Apple's systems accept of a certificate that a private authority has signed. */
const CERTIFICATE_DAYS = 825;
const AUTHORITY_DAYS = 10 * 365;
/** A certificate that ends sooner is made anew. */
const RENEWED_BEFORE = 90 * DAY;
/** Clocks of other machines may be behind. */
const BEFORE_NOW = DAY;

/** A certificate and its private key, both as PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is good for. */
export interface Names {
  /** DNS names, such as `ship.local`. */
  readonly hosts: readonly string[];
  /** IP addresses as text, of either version. */
  readonly addresses: readonly string[];
}

/** What {@link makeCertificate} needs. */
export interface CertificateRequest extends Names {
  /** Unix milliseconds. */
  readonly now: number;
  /** PEM of the key to keep, so that who has pinned it stays content; undefined for a new one. */
  readonly key?: string | undefined;
  /** Who signs; undefined for a certificate that signs itself. */
  readonly authority?: Identity | undefined;
}

/** What people compare, and clients pin: SHA-256 of the public key (SPKI), in lower-case hex. */
export function fingerprint(certificate: string): string {
  return fingerprintOf(new Uint8Array(new x509.X509Certificate(certificate).publicKey.rawData));
}

/** As {@link fingerprint}, of the public key in DER. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return createHash("sha256").update(publicKey).digest("hex");
}

/** Groups of four, which people can compare. */
export function readableFingerprint(fingerprint: string): string {
  return (fingerprint.match(/.{1,4}/g) ?? []).join(" ");
}

/** Whether a certificate has to be made anew: it ends soon, lacks a name, or another signs now. */
export function isOutdated(
  certificate: string,
  { hosts, addresses, now, authority }: CertificateRequest,
): boolean {
  const parsed = new x509.X509Certificate(certificate);
  if (parsed.notAfter.getTime() - now < RENEWED_BEFORE) return true;
  if (authority === undefined ? parsed.issuer !== parsed.subject : !isSignedBy(parsed, authority)) {
    return true;
  }
  const has = new Set(
    parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map(({ type, value }) =>
      nameKey(type, value)
    ),
  );
  return hosts.some((host) => !has.has(nameKey("dns", host))) ||
    addresses.some((address) => !has.has(nameKey("ip", address)));
}

/** By the authority's key: another authority may have the same name. */
function isSignedBy(certificate: x509.X509Certificate, authority: Identity): boolean {
  const signer = new X509Certificate(authority.certificate).publicKey;
  return new X509Certificate(certificate.toString("pem")).verify(signer);
}

/** IPv6 addresses have many spellings. */
function nameKey(type: string, value: string): string {
  return `${type} ${value.includes(":") ? new URL(`http://[${value}]`).hostname : value}`;
}

/** A certificate for those names. */
export async function makeCertificate(request: CertificateRequest): Promise<Identity> {
  const { hosts, addresses, now, authority } = request;
  const keys = request.key === undefined ? await newKeys() : await readKeys(request.key);
  const names: x509.JsonGeneralNames = [
    ...hosts.map((value) => ({ type: "dns" as const, value })),
    ...addresses.map((value) => ({ type: "ip" as const, value })),
  ];
  const common = {
    serialNumber: serialNumber(),
    notBefore: new Date(now - BEFORE_NOW),
    notAfter: new Date(now - BEFORE_NOW + CERTIFICATE_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  };
  const subject = `CN=Parley on ${hosts[0] ?? addresses[0] ?? "this machine"}`;
  const certificate = authority === undefined
    ? await x509.X509CertificateGenerator.createSelfSigned({ ...common, name: subject, keys })
    : await x509.X509CertificateGenerator.create({
      ...common,
      subject,
      issuer: new x509.X509Certificate(authority.certificate).subject,
      publicKey: keys.publicKey,
      signingKey: (await readKeys(authority.key)).privateKey,
    });
  return { certificate: certificate.toString("pem"), key: await keyText(keys) };
}

/** An authority that signs this server's certificates; `name` is what systems list it under. */
export async function makeAuthority(name: string, now: number): Promise<Identity> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Parley authority of ${name}`,
    notBefore: new Date(now - BEFORE_NOW),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      // It signs servers only, no further authorities.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await keyText(keys) };
}

/** When a certificate ends, in Unix milliseconds. */
export function endOf(certificate: string): number {
  return new x509.X509Certificate(certificate).notAfter.getTime();
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function readKeys(pem: string): Promise<CryptoKeyPair> {
  const privateKey = await crypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(pem),
    ALGORITHM,
    true,
    ["sign"],
  );
  const { d: _private, key_ops: _uses, ...open } = await crypto.subtle.exportKey("jwk", privateKey);
  return {
    privateKey,
    publicKey: await crypto.subtle.importKey("jwk", open, ALGORITHM, true, ["verify"]),
  };
}

async function keyText({ privateKey }: CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(
    await crypto.subtle.exportKey("pkcs8", privateKey),
    "PRIVATE KEY",
  );
}

/** 16 random bytes, positive. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = bytes[0]! & 0x7f | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
