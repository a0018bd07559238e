/** What the server says over plain HTTP: its health, and where it sends clients. [transport 1.1] */
import { webSocketUrl } from "../../client/discovery.ts";
import { type Answer, exchange, NotHttpError } from "./exchange.ts";
import { quoted } from "./findings.ts";
import { type Endpoint, type Means, reach, reason } from "./reach.ts";
import { isInner, type ServerUrl } from "./server_url.ts";

/** Where the WebSocket is to be opened. */
export interface RpcTarget {
  readonly endpoint: Endpoint;
  /** Path and query. */
  readonly target: string;
}

/** Difference of two clocks that is worth a word, in milliseconds. */
const CLOCK_LIMIT = 5 * 60_000;
const SAMPLES = "docs/OPERATIONS.md has samples for Caddy and nginx";

/** `/healthz` and the clock; false when what answers there is of no use. */
export async function checkHealth(
  { base }: ServerUrl,
  door: Endpoint,
  means: Means,
): Promise<boolean> {
  const { findings, patience } = means;
  let answer: Answer;
  try {
    answer = await exchange(door, pathOf(`${base}/healthz`), {}, patience);
  } catch (error) {
    if (error instanceof NotHttpError && error.isTls) {
      findings.fail(
        "health",
        "This port speaks TLS, not plain HTTP",
        "Zed cannot talk to it with http:",
        `Write "${base.replace(/^http:/i, "https:")}"`,
      );
    } else {
      findings.fail(
        "health",
        `GET /healthz was not answered (${reason(error)})`,
        "What listens there is no web server, or hangs",
        "Check the port, and the log of the server",
      );
    }
    return false;
  }
  const { status, body, headers } = answer;
  if (status === 200 && body.trim() === "ok") findings.pass("health", "GET /healthz says ok");
  else if (status === 502 || status === 504) {
    findings.fail(
      "health",
      `GET /healthz is answered with ${status}`,
      "A proxy is there, but does not reach the server behind it",
      "Check that the server runs and that the proxy has its address and port",
    );
  } else if (status === 503) {
    findings.fail(
      "health",
      `GET /healthz is answered with 503: ${quoted(body)}`,
      "The server is there but cannot work",
      "Look into its log",
    );
  } else {
    findings.warn(
      "health",
      `GET /healthz is answered with ${status}: ${quoted(body)}`,
      "That is no Parley, or a proxy passes on some paths only",
      "Let the proxy pass all paths to the server",
    );
  }
  checkClock(headers.get("date"), means);
  return true;
}

function checkClock(date: string | null, { findings }: Means): void {
  const difference = Date.now() - new Date(date ?? "").getTime();
  if (Number.isNaN(difference)) return;
  const minutes = Math.round(Math.abs(difference) / 60_000);
  if (Math.abs(difference) <= CLOCK_LIMIT) {
    findings.pass("clock", "the server's clock and this one agree");
  } else {
    findings.warn(
      "clock",
      `The server's clock is ${minutes} minutes ${difference > 0 ? "behind" : "ahead of"} this one`,
      "Certificates and sign-ins depend on the time",
      "Set both clocks by NTP",
    );
  }
}

/** `GET /rpc` as a Zed asks it; undefined when there is no place to open a WebSocket at. */
export async function discover(
  server: ServerUrl,
  door: Endpoint,
  means: Means,
): Promise<RpcTarget | undefined> {
  const { findings, patience } = means;
  const own = { endpoint: door, target: pathOf(`${server.base}/rpc`) };
  let answer: Answer;
  try {
    answer = await exchange(door, own.target, {}, patience);
  } catch (error) {
    findings.fail(
      "discovery",
      `GET /rpc was not answered (${reason(error)})`,
      "Zed asks there for the place of the WebSocket and gets no further",
      "Look into the logs of the server and its proxy",
    );
    return undefined;
  }
  const { status } = answer;
  if (status < 300 || status > 399) {
    noRedirect(answer, means);
    // Behind a proxy that adds Upgrade everywhere the WebSocket may work all the same.
    return status === 401 || status === 400 || status === 426 ? own : undefined;
  }
  const location = answer.headers.get("location");
  try {
    if (location === null) throw new Error("It names no Location");
    webSocketUrl(location);
  } catch (error) {
    findings.fail(
      "discovery",
      `GET /rpc redirects, but not usably: ${reason(error)}`,
      "Zed takes only an absolute http: or https: URL",
      "Set PUBLIC_URL to the URL that clients use, and let the proxy leave Location as it is",
    );
    return own;
  }
  const target = new URL(location);
  if (!judgePlace(server, target, status, means)) return own;
  if (target.origin === server.url.origin) {
    return { endpoint: door, target: target.pathname + target.search };
  }
  const endpoint = await reach(target, means);
  return endpoint && {
    endpoint: { ...endpoint, trusted: endpoint.trusted && door.trusted },
    target: target.pathname + target.search,
  };
}

/** Says where the redirect leads; false when that is a place for nobody. */
function judgePlace(
  server: ServerUrl,
  target: URL,
  status: number,
  { findings }: Means,
): boolean {
  const { url } = server;
  const text = `GET /rpc sends clients to ${target.origin + target.pathname} (${status})`;
  if (target.origin === url.origin && target.pathname.startsWith(url.pathname)) {
    findings.pass("discovery", text);
    return true;
  }
  if (target.origin === url.origin) {
    findings.fail(
      "discovery",
      text,
      `That is not below ${url.pathname}, where the proxy looks for this server`,
      `Set PUBLIC_URL=${url.href}; the steps below go on there`,
    );
    return false;
  }
  if (target.hostname === url.hostname && target.protocol === "http:") {
    findings.fail(
      "discovery",
      text,
      "That leaves TLS: tokens would go unencrypted, to a port that may not be open",
      `Set PUBLIC_URL=${url.origin}, or let the proxy send X-Forwarded-Proto; the steps below go on at ${url.origin}`,
    );
    return false;
  }
  if (isInner(target.hostname) && !isInner(url.hostname)) {
    findings.fail(
      "discovery",
      text,
      "That is an inner address, which clients elsewhere cannot reach",
      `Set PUBLIC_URL=${url.origin}, or let the proxy pass Host on; the steps below go on at ${url.origin}`,
    );
    return false;
  }
  findings.warn(
    "discovery",
    text,
    `That is another place than ${url.origin}; a Zed goes there for everything but accounts`,
    target.hostname === url.hostname && target.protocol === "https:"
      ? `Write "${target.origin}" as server_url`
      : "If it is not meant so, set PUBLIC_URL to the URL that stands as server_url in Zed",
  );
  return true;
}

function noRedirect({ status, body, headers }: Answer, { findings }: Means): void {
  const text = `GET /rpc is answered with ${status} instead of a redirect: ${quoted(body)}`;
  if (headers.has("www-authenticate")) {
    findings.fail(
      "discovery",
      text,
      "A proxy wants a login of its own, which Zed does not have",
      "Let the proxy pass /rpc without it: the server checks who connects",
    );
  } else if (status === 401 || status === 400 || status === 426) {
    findings.fail(
      "discovery",
      text,
      "The server took the request for a WebSocket handshake: a proxy adds Upgrade to each request",
      `Let the proxy pass on Upgrade only where the client has sent it; ${SAMPLES}`,
    );
  } else {
    findings.fail(
      "discovery",
      text,
      "Zed takes only a redirect as answer",
      status >= 500
        ? "Check that the server runs and that the proxy reaches it"
        : `Let the proxy pass /rpc to Parley; ${SAMPLES}`,
    );
  }
}

/** What is requested for a URL that was put together from texts, as it is. */
function pathOf(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/]*/i, "");
}

/** `/client/users/me`, which Zed asks since August 2025 whether a login is still good. */
export async function checkAccount(
  { base }: ServerUrl,
  door: Endpoint,
  authorization: string | undefined,
  { findings, patience }: Means,
): Promise<void> {
  const path = pathOf(`${base}/client/users/me`);
  let status: number;
  try {
    const headers = authorization === undefined ? undefined : { authorization };
    ({ status } = await exchange(door, path, headers ?? {}, patience));
  } catch (error) {
    findings.warn(
      "account",
      `GET /client/users/me was not answered (${reason(error)})`,
      "Zed since August 2025 does not sign in",
      "Look into the logs of the server and its proxy",
    );
    return;
  }
  if (status === 200 || status === 401 && authorization === undefined) {
    findings.pass("account", `GET /client/users/me is answered (${status})`);
  } else if (status === 401) {
    findings.fail(
      "account",
      "GET /client/users/me is answered with 401 though the credentials are good for /rpc",
      "Zed since August 2025 then deletes its stored login and opens a browser",
      "Let the proxy pass Authorization on for all paths",
    );
  } else {
    findings.warn(
      "account",
      `GET /client/users/me is answered with ${status}`,
      "Zed since August 2025 asks there who is signed in: it does not connect again with a login " +
        "that it has; Zed of June and July 2025 does not ask",
      status === 404
        ? "Look up in the README which editors this version of the server signs in"
        : "Look into the log of the server",
    );
  }
}
