/** The way to a server: its name, its addresses, its port, its certificate. [transport 1.2.1] */
import { lookup } from "node:dns/promises";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { type Findings, quoted } from "./findings.ts";
import { isLoopback } from "./server_url.ts";

/** What the doctor asks with. */
export interface Means {
  readonly findings: Findings;
  /** How long one answer may take, in milliseconds. */
  readonly patience: number;
  /** How long it may be silent over the open WebSocket, in milliseconds. */
  readonly sessionPatience: number;
  /** Certificates (PEM) of the authorities that count: those of the system, as for Zed. */
  readonly authorities: readonly string[];
  /** Where the account was made that is signed in with; undefined for one that was given. */
  readonly accountOf?: string | undefined;
  /** The addresses of a host, as the system resolves it. */
  resolve(hostname: string): Promise<string[]>;
}

/** A place that can be connected to. */
export interface Endpoint {
  readonly url: URL;
  readonly address: string;
  /** Certificates are checked with these; undefined where they failed the check before. */
  readonly authorities: readonly string[] | undefined;
  /** Whether credentials may be sent there. */
  readonly trusted: boolean;
}

/** Days before its end from which a certificate is worth a word. */
const SOON = 14;

/** The authorities that the system trusts; Zed asks the system too. [transport 1.3.1] */
export function systemAuthorities(): string[] {
  const system = tls.getCACertificates("system");
  return system.length > 0 ? system : tls.getCACertificates("default");
}

/** The addresses of a host, as the system resolves it. */
export async function systemResolve(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

/** Looks at the way to the origin of a URL; undefined when it ends before the server. */
export async function reach(url: URL, means: Means): Promise<Endpoint | undefined> {
  const addresses = await resolved(url, means);
  if (addresses === undefined) return undefined;
  const address = await listening(url, addresses, means);
  if (address === undefined) return undefined;
  const plain = { url, address, authorities: undefined, trusted: true };
  return url.protocol === "https:" ? await secured(plain, means) : plain;
}

/** Opens a connection for one request. @throws what keeps it from opening */
export async function connectTo(endpoint: Endpoint, patience: number): Promise<Duplex> {
  const { url, address, authorities } = endpoint;
  return url.protocol === "https:"
    ? await connectTls(url, address, patience, authorities)
    : await connectTcp(address, portOf(url), patience);
}

async function resolved(url: URL, means: Means): Promise<string[] | undefined> {
  const { hostname } = url;
  const literal = hostname.replace(/^\[(.*)\]$/, "$1");
  if (net.isIP(literal) !== 0) {
    means.findings.pass("dns", `${literal} is an address`);
    return [literal];
  }
  try {
    const addresses = [...new Set(await means.resolve(hostname))];
    if (addresses.length === 0) throw new Error("No address is known");
    means.findings.pass("dns", `${hostname} is ${addresses.join(", ")}`);
    return addresses;
  } catch (error) {
    means.findings.fail(
      "dns",
      `${hostname} has no address (${reason(error)})`,
      "No client can find the server under this name",
      "Check the spelling, the DNS record of the name, and that this machine resolves names",
    );
    return undefined;
  }
}

async function listening(
  url: URL,
  addresses: readonly string[],
  { findings, patience }: Means,
): Promise<string | undefined> {
  const port = portOf(url);
  const problems: string[] = [];
  let reached: string | undefined;
  for (const address of addresses) {
    try {
      (await connectTcp(address, port, patience)).destroy();
      reached ??= address;
    } catch (error) {
      problems.push(`${address}: ${reason(error)}`);
    }
  }
  if (reached === undefined) {
    findings.fail(
      "tcp",
      `Nothing takes connections on port ${port} (${problems.join("; ")})`,
      problems.every((text) => text.includes("refused"))
        ? "The machine is there, but no program listens on this port"
        : "The machine is off, or a firewall stands before it",
      isLoopback(url.hostname)
        ? "Start the server (deno task serve), or check the port"
        : "Check that the server runs and listens for others (--host 0.0.0.0), that the firewall " +
          "lets the port in, or that the proxy runs",
    );
  } else if (problems.length > 0 && !isLoopback(url.hostname)) {
    findings.warn(
      "tcp",
      `Port ${port} is open at ${reached}, but not at all addresses (${problems.join("; ")})`,
      "Clients that try the others first connect late or never",
      "Let the server or its proxy listen there too, or remove these addresses from the DNS",
    );
  } else findings.pass("tcp", `port ${port} is open at ${reached}`);
  return reached;
}

async function secured(plain: Endpoint, means: Means): Promise<Endpoint | undefined> {
  const { url, address } = plain;
  const { findings, patience } = means;
  let socket: tls.TLSSocket;
  try {
    socket = await connectTls(url, address, patience, means.authorities, false);
  } catch (error) {
    const isPlain = (error as { code?: string }).code === "ERR_SSL_WRONG_VERSION_NUMBER";
    findings.fail(
      "tls",
      isPlain ? `Port ${portOf(url)} does not speak TLS` : `TLS fails (${reason(error)})`,
      "Zed cannot open an https: connection there",
      isPlain
        ? `Write http: for this port, or put a proxy with TLS before the server`
        : "Look into the log of the proxy that should answer TLS here",
    );
    return undefined;
  }
  const certificate = socket.getPeerCertificate();
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  socket.destroy();
  const end = new Date(certificate.valid_to);
  const days = Math.floor((end.getTime() - Date.now()) / 86_400_000);
  const found = judge(url, certificate, problem);
  if (found !== undefined) {
    findings.fail(
      "tls",
      found.text,
      "Zed ends the connection here, and no setting of it turns that check off; the steps below " +
        "go on without it",
      found.remedy,
    );
    return { ...plain, trusted: false };
  }
  if (days < SOON) {
    findings.warn(
      "tls",
      `The certificate of ${url.hostname} ends in ${days} days (${day(end)})`,
      "From then on no Zed connects",
      "Renew it, and find out why that has not happened by itself",
    );
  } else {
    findings.pass("tls", `certificate for ${url.hostname} until ${day(end)}, trusted here`);
  }
  return { ...plain, authorities: means.authorities };
}

function judge(
  url: URL,
  certificate: tls.PeerCertificate,
  problem: string | undefined,
): { text: string; remedy: string } | undefined {
  const [begin, end] = [new Date(certificate.valid_from), new Date(certificate.valid_to)];
  const clock = `check the clock of this machine, which says ${new Date().toISOString()}`;
  // First, since an old certificate is told as an unknown issuer.
  if (end.getTime() < Date.now()) {
    return { text: `The certificate has expired on ${day(end)}`, remedy: `Renew it; or ${clock}` };
  }
  if (begin.getTime() > Date.now()) {
    return { text: `The certificate is valid from ${day(begin)} only`, remedy: `First ${clock}` };
  }
  switch (problem) {
    case undefined:
      return undefined;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        text: `The certificate is for ${
          quoted(certificate.subjectaltname ?? "")
        }, not for ${url.hostname}`,
        remedy: "Use a name that it is for, or get one for this name",
      };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return {
        text: "The certificate is self-signed",
        remedy: "Get one from a public authority, or add yours to the system's trusted ones on " +
          "every machine with a Zed",
      };
    default: {
      const issuer = quoted(String(certificate.issuer?.CN ?? certificate.issuer?.O ?? ""));
      return {
        text: `The certificate's issuer ${issuer} is not known here (${problem})`,
        remedy: "Let the server send its intermediate certificates too (the full chain); for an " +
          "authority of your own, add it to the system's trusted ones on every machine with a Zed",
      };
    }
  }
}

function connectTcp(address: string, port: number, patience: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port });
    settle(socket, "connect", patience, () => resolve(socket), reject);
  });
}

/** @param verify false: only note whether the certificate is trusted */
function connectTls(
  url: URL,
  address: string,
  patience: number,
  authorities: readonly string[] | undefined,
  verify = authorities !== undefined,
): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const named = net.isIP(url.hostname.replace(/^\[(.*)\]$/, "$1")) === 0;
    const socket = tls.connect({
      host: address,
      port: portOf(url),
      ...(named && { servername: url.hostname }),
      ...(authorities !== undefined && { ca: [...authorities] }),
      rejectUnauthorized: verify,
    });
    settle(socket, "secureConnect", patience, () => resolve(socket), reject);
  });
}

function settle(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  patience: number,
  opened: () => void,
  failed: (error: Error) => void,
): void {
  const timer = setTimeout(() => {
    socket.destroy(new Error(`No answer within ${patience / 1000} s`));
  }, patience);
  socket.once(event, () => {
    clearTimeout(timer);
    socket.off("error", onError);
    // Whoever takes the socket listens from now on; until then nothing may float.
    socket.on("error", () => {});
    opened();
  });
  const onError = (error: Error) => {
    clearTimeout(timer);
    socket.destroy();
    failed(error);
  };
  socket.on("error", onError);
}

function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

/** What an error says, in a few words. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return REASONS[String(code)] ?? (error.message || String(code));
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "no way to that machine",
  ENETUNREACH: "no way to that network",
  ENOTFOUND: "unknown name",
  EAI_AGAIN: "no name server answers",
  ETIMEDOUT: "no answer",
};

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
