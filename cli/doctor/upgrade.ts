/** The WebSocket handshake, without and with credentials. [transport 1.2] [transport 1.5] */
import { createHash, randomBytes } from "node:crypto";
import { type Credentials, handshakeHeaders } from "../../client/connect.ts";
import type { RpcTarget } from "./discovery.ts";
import { type Answer, exchange } from "./exchange.ts";
import { quoted } from "./findings.ts";
import { type Means, reason } from "./reach.ts";
import { RawWebSocket } from "./raw_web_socket.ts";

/** A version with build data, as Zed of 2026 sends it. [transport T9] */
const APP_VERSION = "1.10.0+stable.1.doctor";
/** Nobody: the largest id that an account could have. */
const NOBODY: Credentials = { userId: 2 ** 31 - 1, token: "parley-doctor" };
const PASS_UPGRADE =
  "Let the proxy pass Upgrade and Connection on (HTTP/1.1); docs/OPERATIONS.md has samples";

interface Handshake {
  readonly answer: Answer;
  readonly key: string;
}

async function handshake(
  { endpoint, target }: RpcTarget,
  headers: Readonly<Record<string, string>>,
  patience: number,
): Promise<Handshake> {
  const key = randomBytes(16).toString("base64");
  const answer = await exchange(endpoint, target, {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": key,
    ...headers,
  }, patience);
  return { answer, key };
}

function zedHeaders(credentials: Credentials): Record<string, string> {
  return handshakeHeaders({ credentials, appVersion: APP_VERSION, releaseChannel: "stable" });
}

/**
 * Whether a handshake reaches the server, and its headers with it: told by the answers to one
 * without credentials and one with wrong ones.
 */
export async function checkUpgrade(target: RpcTarget, means: Means): Promise<boolean> {
  const { findings, patience } = means;
  const { authorization: _, ...others } = zedHeaders(NOBODY);
  let answer: Answer;
  try {
    ({ answer } = await handshake(target, others, patience));
  } catch (error) {
    findings.fail(
      "upgrade",
      `The WebSocket handshake was not answered (${reason(error)})`,
      "A proxy or a firewall ends what is no plain HTTP",
      PASS_UPGRADE,
    );
    return false;
  }
  await answer.stream?.close();
  if (!judgeUpgrade(answer, means)) return false;
  if (answer.status !== 401) return true;
  return await checkAuthorization(target, means);
}

function judgeUpgrade({ status, body, headers }: Answer, { findings }: Means): boolean {
  const text = `The WebSocket handshake is answered with ${status}: ${quoted(body)}`;
  if (status === 401 && !headers.has("www-authenticate")) {
    findings.pass("upgrade", "the WebSocket handshake reaches the server, which asks who it is");
    return true;
  }
  if (status === 101) {
    findings.warn(
      "upgrade",
      "The WebSocket is opened for somebody without credentials",
      "That is no Parley, which asks first who connects",
      "Check that the URL leads to your server",
    );
    return true;
  }
  if (status === 401) {
    findings.fail(
      "upgrade",
      text,
      "A proxy wants a login of its own, which Zed does not have",
      "Let the proxy pass /rpc without it: the server checks who connects",
    );
  } else if (status >= 300 && status <= 399 || status === 426) {
    findings.fail(
      "upgrade",
      text,
      "The handshake arrived as a plain request: a proxy on the way has taken Upgrade away",
      PASS_UPGRADE,
    );
  } else if (status >= 500) {
    findings.fail(
      "upgrade",
      text,
      "The server takes no connections now, or the proxy does not reach it",
      "Look into the logs of the server and its proxy",
    );
  } else {
    findings.fail(
      "upgrade",
      text,
      "What answers there does not do WebSockets",
      PASS_UPGRADE,
    );
  }
  return false;
}

async function checkAuthorization(target: RpcTarget, means: Means): Promise<boolean> {
  const { findings, patience } = means;
  let answer: Answer;
  try {
    ({ answer } = await handshake(target, zedHeaders(NOBODY), patience));
  } catch (error) {
    findings.fail(
      "headers",
      `A handshake with an Authorization header was not answered (${reason(error)})`,
      "Something on the way ends requests with such a header",
      "Let the proxy pass Authorization: <user id> <token> on as it is",
    );
    return false;
  }
  await answer.stream?.close();
  const { status, body } = answer;
  if (status === 401 && /missing/i.test(body)) {
    findings.fail(
      "headers",
      "The Authorization header does not reach the server",
      "A proxy takes it away, so nobody can sign in",
      "Let the proxy pass Authorization on as it is",
    );
    return false;
  }
  if (status !== 401) {
    findings.warn(
      "headers",
      `Wrong credentials are answered with ${status}: ${quoted(body)}`,
      "Parley answers 401, so that a Zed asks its user anew; another status it repeats for ever",
      "Check that the proxy passes Authorization on as it is, and statuses back",
    );
  } else findings.pass("headers", "Authorization reaches the server (wrong credentials: 401)");
  return true;
}

/** Opens the WebSocket as that user; undefined when it is refused. */
export async function openWebSocket(
  target: RpcTarget,
  credentials: Credentials,
  means: Means,
): Promise<RawWebSocket | undefined> {
  const { findings, patience } = means;
  let opened: Handshake;
  try {
    opened = await handshake(target, zedHeaders(credentials), patience);
  } catch (error) {
    findings.fail(
      "handshake",
      `The handshake of user ${credentials.userId} was not answered (${reason(error)})`,
      "The server, or a proxy before it, hangs or ends the connection",
      "Look into their logs",
    );
    return undefined;
  }
  const { stream, rest } = opened.answer;
  if (stream === undefined) {
    refused(opened.answer, credentials, means);
    return undefined;
  }
  const problem = protocolProblem(opened);
  if (problem !== undefined) {
    await stream.close();
    findings.fail(
      "handshake",
      problem,
      "Zed ends such a connection as a protocol error",
      "Let the proxy leave the handshake's answer as the server gives it",
    );
    return undefined;
  }
  findings.pass("handshake", `the WebSocket is open for user ${credentials.userId}`);
  return new RawWebSocket(stream, rest);
}

/** What is wrong with an answer 101. [transport 1.2.3] [transport 11.3] */
function protocolProblem({ answer: { headers }, key }: Handshake): string | undefined {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return "The answer 101 has no Upgrade: websocket";
  }
  if (headers.get("sec-websocket-accept") !== accept) {
    return "The answer 101 has a missing or wrong Sec-WebSocket-Accept";
  }
  const extensions = headers.get("sec-websocket-extensions");
  if (extensions !== null) {
    return `The answer has an extension that nobody asked for: ${quoted(extensions)}`;
  }
  const protocol = headers.get("sec-websocket-protocol");
  return protocol === null
    ? undefined
    : `The answer chooses a sub-protocol that nobody asked for: ${quoted(protocol)}`;
}

function refused(
  { status, body }: Answer,
  { userId }: Credentials,
  { findings, accountOf }: Means,
): void {
  const text = `User ${userId} is answered with ${status}: ${quoted(body)}`;
  const eaten = status === 400 && /x-zed-protocol-version/.test(body)
    ? "x-zed-protocol-version"
    : status === 426 && /no version header/.test(body)
    ? "x-zed-app-version"
    : undefined;
  if (eaten !== undefined) {
    findings.fail(
      "headers",
      `The header ${eaten} does not reach the server`,
      "A proxy takes it away, so no Zed gets in",
      "Let the proxy pass all headers that begin with x-zed- on as they are",
    );
  } else if (status === 401 && accountOf !== undefined) {
    findings.warn(
      "handshake",
      `The account that was made on the server of this machine, ${accountOf}, is unknown there`,
      "It is another server; Hello and what follows were not tried",
      "Give --login <user id> --token <token> of that server, or run the doctor on its machine",
    );
  } else if (status === 401) {
    findings.fail(
      "handshake",
      text,
      "The server does not know this token for this user",
      "Make a new one on the server's machine: deno task user token <login>",
    );
  } else if (status === 503) {
    findings.fail(
      "handshake",
      text,
      "The server has as many connections as it takes, or cannot write to its database",
      "See its log, and MAX_CONCURRENT_CONNECTIONS",
    );
  } else {
    findings.fail(
      "handshake",
      text,
      "The server refuses the connection",
      "See its log",
    );
  }
}
