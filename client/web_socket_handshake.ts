/** The HTTP part of a WebSocket, on a client's side. RFC 6455, section 4. */
import { base64 } from "./base64.ts";
import {
  ConnectError,
  OverloadedError,
  UnauthorizedError,
  UpgradeRequiredError,
} from "./errors.ts";

/** What a server's head of an answer may have, bytes. */
const MAX_HEAD = 16 * 1024;

/** Appended to the key, as the protocol has it. */
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A request to upgrade, and what its answer has to hold. */
export interface Handshake {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly accept: string;
}

/** Makes the request. @throws {ConnectError} a header has what none can hold. */
export async function makeHandshake(
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Handshake> {
  const key = base64(crypto.getRandomValues(new Uint8Array(16)));
  const lines = Object.entries(headers).map(([name, value]) => {
    if (!/^[\x20-\x7e]*$/.test(value)) {
      throw new ConnectError(
        `Cannot send the header ${name}: it has characters that no header holds`,
      );
    }
    return `${name}: ${value}`;
  });
  const request = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...lines,
    "\r\n",
  ].join("\r\n");
  const digest = await crypto.subtle.digest("SHA-1", encoder.encode(key + MAGIC));
  return { request: encoder.encode(request), accept: base64(new Uint8Array(digest)) };
}

/** Collects the answer up to the end of its head. */
export class HandshakeReader {
  readonly #url: URL;
  readonly #accept: string;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(url: URL, { accept }: Handshake) {
    this.#url = url;
    this.#accept = accept;
  }

  /**
   * Takes bytes as they come.
   *
   * @returns what came behind the head, once the connection is upgraded; undefined before.
   * @throws {ConnectError} or a subclass: it is refused.
   */
  feed(bytes: Uint8Array): Uint8Array | undefined {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    const end = endOfHead(joined);
    if (end < 0) {
      if (joined.length <= MAX_HEAD) return undefined;
      throw new ConnectError(`Cannot connect to ${this.#url.host}: its answer has no end`);
    }
    this.#check(decoder.decode(joined.subarray(0, end)));
    return joined.subarray(end + 4);
  }

  #check(head: string): void {
    const [first = "", ...lines] = head.split("\r\n");
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
    if (status === undefined) {
      throw new ConnectError(`Cannot connect to ${this.#url.host}: it does not speak HTTP`);
    }
    if (status !== "101") throw refusal(this.#url.host, status);
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    }));
    const isUpgraded = headers.get("upgrade")?.toLowerCase() === "websocket" &&
      headers.get("sec-websocket-accept") === this.#accept;
    if (!isUpgraded || headers.has("sec-websocket-extensions")) {
      throw new ConnectError(
        `Cannot connect to ${this.#url.host}: its answer to the WebSocket handshake is wrong`,
      );
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

/** What a status other than 101 means. [transport 1.5.1] */
export function refusal(host: string, status: string): ConnectError {
  switch (status) {
    case "401":
      return new UnauthorizedError(`Cannot sign in at ${host}: unknown user or wrong token`);
    case "426":
      return new UpgradeRequiredError(`Cannot connect to ${host}: it wants a newer client`);
    case "503":
      return new OverloadedError(`Cannot connect to ${host}: it takes no more connections`);
    default:
      return new ConnectError(`Cannot connect to ${host}: it refuses with the status ${status}`);
  }
}
