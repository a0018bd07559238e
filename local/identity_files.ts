/** Where a local server keeps its certificate: the folder `tls` of its data folder. [local 4] */
import {
  type CertificateRequest,
  type Identity,
  isOutdated,
  makeAuthority,
  makeCertificate,
  type Names,
} from "./certificate.ts";

const CERTIFICATE = "certificate.pem";
const KEY = "key.pem";
const AUTHORITY_CERTIFICATE = "authority.pem";
const AUTHORITY_KEY = "authority-key.pem";

/** A certificate with what a server shows along with it. */
export interface ServerIdentity extends Identity {
  /** PEM: the certificate, and the authority's where one has signed it. */
  readonly chain: string;
}

/** The files of one server. Keys are readable by their owner only. */
export class IdentityFiles {
  readonly #folder: string;

  /** @param dataDir exists */
  constructor(dataDir: string) {
    this.#folder = `${dataDir}/tls`;
  }

  /** The path of the authority's certificate, which other machines have to trust. */
  get authorityPath(): string {
    return `${this.#folder}/${AUTHORITY_CERTIFICATE}`;
  }

  /** The server's certificate: made at the first time, and again when it is outdated. */
  async certificate(names: Names, now: number): Promise<ServerIdentity> {
    const authority = await this.authority();
    const kept = await this.#read(CERTIFICATE, KEY);
    const request: CertificateRequest = { ...names, now, authority, key: kept?.key };
    const identity = kept !== undefined && !isOutdated(kept.certificate, request)
      ? kept
      : await this.#write(CERTIFICATE, KEY, await makeCertificate(request));
    const chain = [identity.certificate, ...(authority ? [authority.certificate] : [])].join("\n");
    return { ...identity, chain };
  }

  /** The local authority, once {@link makeAuthority} has made it. */
  async authority(): Promise<Identity | undefined> {
    return await this.#read(AUTHORITY_CERTIFICATE, AUTHORITY_KEY);
  }

  /** The local authority, made if there is none. The next {@link certificate} is signed by it. */
  async makeAuthority(name: string, now: number): Promise<Identity> {
    return await this.authority() ??
      await this.#write(AUTHORITY_CERTIFICATE, AUTHORITY_KEY, await makeAuthority(name, now));
  }

  async #read(certificate: string, key: string): Promise<Identity | undefined> {
    try {
      return {
        certificate: await Deno.readTextFile(`${this.#folder}/${certificate}`),
        key: await Deno.readTextFile(`${this.#folder}/${key}`),
      };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async #write(certificate: string, key: string, identity: Identity): Promise<Identity> {
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(`${this.#folder}/${key}`, identity.key, 0o600);
    await replaceFile(`${this.#folder}/${certificate}`, identity.certificate, 0o644);
    return identity;
  }
}

/** Never half of a file, and never one that others may read for a moment. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID()}`;
  {
    using file = await Deno.open(unfinished, { write: true, createNew: true, mode });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(unfinished, path);
}
