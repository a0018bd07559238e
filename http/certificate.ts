/** The certificate with which the server speaks HTTPS itself. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** A certificate or key that cannot be used. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/** Where a certificate is. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A chain and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Unix milliseconds at which the first certificate ends. */
  readonly until: number;
}

/**
 * Reads both files and looks whether they belong together and can be used.
 *
 * @param known returned, without a further look, when the files are still as they were for it
 * @throws {CertificateError} which says what is wrong with which file
 */
export async function readCertificate(
  { certFile, keyFile }: CertificateFiles,
  known?: Certificate,
): Promise<Certificate> {
  const [cert, key] = await Promise.all([
    read("TLS_CERT", certFile),
    read("TLS_KEY", keyFile),
  ]);
  if (known?.cert === cert && known.key === key) return known;
  const first = parsed("TLS_CERT", certFile, () => new X509Certificate(cert));
  const own = parsed("TLS_KEY", keyFile, () => createPrivateKey(key));
  if (!first.checkPrivateKey(own)) {
    throw new CertificateError(
      `Cannot use TLS_KEY: ${keyFile} is not the key of the first certificate in ${certFile}`,
    );
  }
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    throw new CertificateError(
      `Cannot use TLS_CERT: the server's TLS does not take ${certFile}: ${
        (error as Error).message
      }; have it issued anew`,
      { cause: error },
    );
  }
  return { cert, key, until: first.validToDate.getTime() };
}

async function read(setting: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new CertificateError(
      `Cannot read ${setting}=${file}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function parsed<Result>(setting: string, file: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    throw new CertificateError(
      `Cannot use ${setting}: ${file} holds no ${
        setting === "TLS_KEY" ? "private key" : "certificate"
      } in PEM form`,
      { cause: error },
    );
  }
}
