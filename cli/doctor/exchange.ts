/** One HTTP/1.1 request over a connection of its own, with everything that comes back visible. */
import { ByteStream, SilenceError, within } from "./byte_stream.ts";
import { connectTo, type Endpoint } from "./reach.ts";

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of the body as text. */
  readonly body: string;
  /** The connection, after 101 only; the caller closes it. */
  readonly stream: ByteStream | undefined;
  /** What came behind the header on that connection. */
  readonly rest: Uint8Array;
}

/** What answered does not speak HTTP. */
export class NotHttpError extends Error {
  override readonly name = "NotHttpError";
  /** @param isTls it speaks TLS */
  constructor(message: string, readonly isTls: boolean) {
    super(message);
  }
}

const HEADER_LIMIT = 64 << 10;
const BODY_LIMIT = 4 << 10;
/** As Zed names itself: some proxies let only what they know pass. [transport 8.2.2] */
const USER_AGENT = "Zed/1.10.0 (linux; x86_64)";

/**
 * Sends `GET` and reads the answer.
 *
 * @param target path and query as they are to be sent
 * @throws {SilenceError} {NotHttpError} and what breaks a connection
 */
export async function exchange(
  endpoint: Endpoint,
  target: string,
  headers: Readonly<Record<string, string>>,
  patience: number,
): Promise<Answer> {
  const stream = new ByteStream(await connectTo(endpoint, patience));
  let kept = false;
  try {
    const answer = await within(patience, stream, async () => {
      stream.write(requestText(endpoint, target, headers));
      return await readAnswer(stream);
    });
    kept = answer.stream !== undefined;
    return answer;
  } finally {
    if (!kept) await stream.close();
  }
}

function requestText(
  endpoint: Endpoint,
  target: string,
  headers: Readonly<Record<string, string>>,
): string {
  const all = {
    host: endpoint.url.host,
    "user-agent": USER_AGENT,
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n");
}

async function readAnswer(stream: ByteStream): Promise<Answer> {
  let bytes = new Uint8Array(0);
  let end = -1;
  while (end < 0) {
    const chunk = await stream.read();
    if (chunk === undefined) {
      if (bytes.length > 0) throw notHttp(bytes);
      throw new SilenceError("the connection was closed without an answer");
    }
    bytes = joined(bytes, chunk);
    const begin = latin1(bytes.subarray(0, 5));
    if (!"HTTP/".startsWith(begin)) throw notHttp(bytes);
    end = latin1(bytes).indexOf("\r\n\r\n");
    if (end < 0 && bytes.length > HEADER_LIMIT) throw notHttp(bytes);
  }
  const [first = "", ...lines] = latin1(bytes.subarray(0, end)).split("\r\n");
  const status = Number(/^HTTP\/\d(?:\.\d)? (\d{3})/.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw notHttp(bytes);
  const headers = parseHeaders(lines);
  const rest = bytes.subarray(end + 4);
  if (status === 101) return { status, headers, body: "", stream, rest };
  const body = await readBody(stream, headers, rest);
  return { status, headers, body, stream: undefined, rest: new Uint8Array(0) };
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+.^_`|~\w-]+):(.*)$/.exec(line) ?? [];
    if (name !== undefined) headers.append(name, value.trim());
  }
  return headers;
}

async function readBody(stream: ByteStream, headers: Headers, rest: Uint8Array): Promise<string> {
  const declared = Number(headers.get("content-length") ?? Number.NaN);
  const wanted = Math.min(Number.isNaN(declared) ? BODY_LIMIT : declared, BODY_LIMIT);
  const chunked = /chunked/i.test(headers.get("transfer-encoding") ?? "");
  let body = rest;
  while (body.length < wanted && !(chunked && latin1(body).endsWith("\r\n0\r\n\r\n"))) {
    // Who has sent the header has answered; how the connection ends is not of interest.
    const chunk = await stream.read().catch(() => undefined);
    if (chunk === undefined) break;
    body = joined(body, chunk);
  }
  const text = new TextDecoder().decode(body.subarray(0, wanted));
  return chunked ? text.replaceAll(/(?:^|\r\n)[0-9a-f]+(?:;[^\r\n]*)?\r\n/gi, "").trim() : text;
}

function notHttp(bytes: Uint8Array): NotHttpError {
  // A TLS record: an alert or a handshake message.
  const isTls = (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
  return new NotHttpError(isTls ? "it speaks TLS" : "it does not speak HTTP", isTls);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
