/** Which key a server shows, for people to compare before they trust it. [local 4a] */
import tls from "node:tls";
import { chainText, ConnectError } from "../errors.ts";
import { parseUrl } from "../platform.ts";
import { publicKeyFingerprint } from "./pin.ts";

/**
 * Asks a server for its certificate and sends it nothing. What comes back proves nothing by itself:
 * whoever stands between can show another. It goes directly, around all proxies.
 *
 * @param serverUrl begins with https:
 * @returns SHA-256 of the public key, in lower-case hex
 * @throws {ConnectError}
 */
export function readFingerprint(serverUrl: string, signal: AbortSignal): Promise<string> {
  const url = parseUrl(serverUrl);
  if (url?.protocol !== "https:") {
    throw new ConnectError(`Cannot ask ${serverUrl} for its certificate: it is no https address`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port: Number(url.port || 443), rejectUnauthorized: false });
    const end = (act: () => void) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      act();
    };
    const abort = () => end(() => reject(signal.reason));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.on(
      "error",
      (cause) =>
        end(() =>
          reject(new ConnectError(`Cannot reach ${url.host}: ${chainText(cause)}`, { cause }))
        ),
    );
    socket.on(
      "close",
      () => end(() => reject(new ConnectError(`Cannot reach ${url.host}: the connection ended`))),
    );
    socket.on("secureConnect", () => {
      const { raw } = socket.getPeerCertificate();
      end(() =>
        raw === undefined
          ? reject(new ConnectError(`Cannot trust ${url.host}: it shows no certificate`))
          : resolve(publicKeyFingerprint(raw))
      );
    });
  });
}
