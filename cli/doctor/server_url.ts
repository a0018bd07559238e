/** Whether a text can be Zed's `server_url`, which is taken literally. [transport 8.1] [transport T8] */
import type { Findings } from "./findings.ts";

/** A usable `server_url`. */
export interface ServerUrl {
  /** What Zed puts its paths behind. */
  readonly base: string;
  readonly url: URL;
}

/** For these texts Zed asks other hosts and ports for accounts. [transport 8.1] */
const SPECIAL = new Map([
  ["https://zed.dev", "is Zed's own server"],
  ["https://staging.zed.dev", "is a server of Zed's developers"],
  ["http://localhost:3000", "is how Zed's developers name their machine"],
]);

/** Looks at the text; undefined when nothing can be asked there. */
export function examineServerUrl(text: string, findings: Findings): ServerUrl | undefined {
  const special = SPECIAL.get(text);
  if (special !== undefined) {
    const local = text.startsWith("http://localhost");
    findings.fail(
      "url",
      `${text} ${special}`,
      local
        ? "With exactly this text Zed asks ports 8080 and 8787 of the machine instead of this one"
        : "With exactly this text Zed does not ask a server of yours",
      local ? 'Write "http://127.0.0.1:3000", or use another port' : "Write your server's URL",
    );
    return local ? { base: text, url: new URL(text) } : undefined;
  }
  const url = URL.parse(text);
  if (url === null || !/^(https?|wss?):$/.test(url.protocol) || url.hostname === "") {
    findings.fail(
      "url",
      `${quotedUrl(text)} is no URL of a web server`,
      "Zed cannot parse it, or knows no such scheme",
      `Write it with its scheme, as "https://${/^[\w.-]+(:\d+)?$/.test(text) ? text : "host"}"`,
    );
    return undefined;
  }
  if (url.protocol.startsWith("ws")) {
    const base = text.replace(/^ws/i, "http");
    findings.fail(
      "url",
      `${text} has the scheme of a WebSocket`,
      "Zed asks it over HTTP first, and makes ws: of http: by itself",
      `Write "${base}"; the steps below try that`,
    );
    return { base, url: new URL(base) };
  }
  if (url.search !== "" || text.includes("#") || url.username !== "" || url.password !== "") {
    findings.fail(
      "url",
      `${quotedUrl(text)} has more than scheme, host and port`,
      "Zed appends /rpc to the text as it is, which leads nowhere behind a ? or #",
      `Write "${url.origin}"`,
    );
    return undefined;
  }
  judgeForm(text, url, findings);
  return { base: text, url };
}

function judgeForm(text: string, url: URL, findings: Findings): void {
  if (text.endsWith("/")) {
    findings.warn(
      "url",
      `${text} ends with a slash`,
      "Zed appends its paths to it, so it asks for //rpc, which not every proxy passes on; the " +
        "stored login belongs to this very spelling",
      `Write "${text.replace(/\/+$/, "")}"`,
    );
  } else if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    findings.warn(
      "url",
      `${text} is not encrypted`,
      "Tokens and everything that is edited can be read on the way; Zed itself does not mind",
      "Put a proxy with TLS before the server (docs/OPERATIONS.md), unless the network is yours",
    );
  } else findings.pass("url", text);
}

function quotedUrl(text: string): string {
  return JSON.stringify(text.replace(/\/\/[^/@]*@/, "//…@"));
}

/** A host that is this very machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname);
}

/** A host that only this machine or its network knows: such an address leads others nowhere. */
export function isInner(hostname: string): boolean {
  return isLoopback(hostname) || hostname === "0.0.0.0" || hostname === "[::]" ||
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)[\d.]+$/.test(hostname) ||
    /^\[f(e[89ab]|[cd])/.test(hostname) ||
    !hostname.includes(".") && !hostname.includes(":") ||
    /\.(internal|local|lan|home\.arpa)$/.test(hostname);
}
