/** Which proxy a client goes through. [transport 1.4] */
import { parseUrl } from "../platform.ts";
import { ConnectError } from "../errors.ts";

/** A proxy, as its address says. */
export interface Proxy {
  readonly kind: "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h";
  readonly host: string;
  readonly port: number;
  /** Decoded; empty where the address has none. */
  readonly username: string;
  /** Undefined where the address has none: then SOCKS5 does not log in. */
  readonly password: string | undefined;
}

/** Environment variables that may name a proxy; the first that is set decides. [transport 1.4.1] */
export const PROXY_VARIABLES: readonly string[] = [
  "ALL_PROXY",
  "all_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
];

/** Reads environment variables, as `Deno.env.get` does. */
export type ReadEnvironment = (name: string) => string | undefined;

/**
 * The address of the proxy: the setting, if it is an address, else the first variable that is set.
 * `NO_PROXY` is for plain requests, see {@link bypassesProxy}.
 */
export function proxyAddress(
  setting: string | undefined,
  environment: ReadEnvironment,
): string | undefined {
  const trimmed = setting?.trim();
  if (trimmed && URL.canParse(trimmed)) return trimmed;
  for (const name of PROXY_VARIABLES) {
    const value = environment(name)?.trim();
    if (value) return value;
  }
  return undefined;
}

/**
 * Reads an address.
 *
 * @throws {ConnectError} it cannot be understood: then nothing connects, least of all directly.
 */
export function parseProxy(address: string): Proxy {
  const url = parseUrl(address);
  const scheme = url?.protocol.slice(0, -1) ?? "";
  const kind = kindOf(scheme);
  if (url === null || url.hostname === "" || kind === undefined) {
    throw new ConnectError(
      `Cannot use the proxy ${hideCredentials(address)}: its address must be ` +
        "http://, https:// or socks…:// with a host",
    );
  }
  const [username, password] = [url.username, url.password].map(decoded);
  if (username === undefined || password === undefined) {
    throw new ConnectError(
      `Cannot use the proxy ${
        hideCredentials(address)
      }: in its login a "%" has to be written as "%25"`,
    );
  }
  const standard = kind === "http" ? 80 : kind === "https" ? 443 : 1080;
  return {
    kind,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? standard : Number(url.port),
    username,
    password: password === "" ? undefined : password,
  };
}

/** Whether `NO_PROXY` exempts a host, for plain requests only. [transport 8.2.4] */
export function bypassesProxy(host: string, environment: ReadEnvironment): boolean {
  const list = environment("NO_PROXY") ?? environment("no_proxy") ?? "";
  return list.split(",").map((item) => item.trim().toLowerCase().replace(/^\*?\./, ""))
    .some((item) => item === "*" || item !== "" && (host === item || host.endsWith(`.${item}`)));
}

/** Any `socks…` that is not one of the four counts as `socks5`. [transport 1.4.2] */
function kindOf(scheme: string): Proxy["kind"] | undefined {
  switch (scheme) {
    case "socks4":
    case "socks4a":
    case "socks5h":
      return scheme;
  }
  if (scheme.startsWith("socks")) return "socks5";
  if (scheme === "https") return "https";
  return scheme.startsWith("http") ? "http" : undefined;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function hideCredentials(address: string): string {
  return address.replace(/\/\/[^/@]*@/, "//…@");
}
