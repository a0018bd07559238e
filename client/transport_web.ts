/**
 * Connections over the WebSocket of browsers, which takes no headers: they are sent before, with a
 * plain request, and a ticket stands for them in the address. Works with Parley. [transport 11.2]
 */
import { type Clock, systemClock } from "../lib/clock.ts";
import { ConnectError } from "./errors.ts";
import { fetchClient } from "./http/fetch_client.ts";
import type { HttpClient } from "./http/http_client.ts";
import type { Socket, SocketListener, Transport } from "./transport.ts";
import { refusal } from "./web_socket_handshake.ts";

/** What the network does not take for so long is stuck, in milliseconds. [transport 12.4] */
const WRITE_TIMEOUT = 2_000;

/** The part of the platform's WebSocket that is used. */
export type PlatformSocket = Pick<
  WebSocket,
  "binaryType" | "bufferedAmount" | "close" | "readyState" | "send" | "addEventListener"
>;

/** What a {@link webTransport} is made with; nothing is needed. */
export interface WebTransportOptions {
  readonly http?: HttpClient;
  readonly clock?: Clock;
  /** In place of the platform's. */
  readonly open?: (url: string) => PlatformSocket;
}

/** Makes connections as a web page can. */
export function webTransport(options: WebTransportOptions = {}): Transport {
  const { http = fetchClient(), clock = systemClock } = options;
  const { open = (url) => new WebSocket(url) } = options;
  return {
    canDiscover: false,
    async connect(url, headers, signal) {
      const at = new URL(url);
      at.searchParams.set("ticket", await askForTicket(http, url, headers, signal));
      const socket = open(at.href);
      socket.binaryType = "arraybuffer";
      const web = new WebSocketOfPage(socket, clock);
      await opened(socket, url.host, signal);
      return web;
    },
  };
}

async function askForTicket(
  http: HttpClient,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const base = url.href.replace(/^ws/, "http").replace(/\/rpc(?:\?.*)?$/, "");
  const response = await http.request(`${base}/client/socket_tickets`, {
    method: "POST",
    headers,
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw refusal(url.host, `${response.status}`);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  signal.throwIfAborted();
  const { ticket } = (answer ?? {}) as { readonly ticket?: unknown };
  if (typeof ticket === "string") return ticket;
  throw new ConnectError(`Cannot connect to ${url.host}: it gives no tickets to web pages`);
}

function opened(socket: PlatformSocket, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      socket.close();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const settle = (end: () => void) => () => {
      signal.removeEventListener("abort", abort);
      end();
    };
    const once = { once: true };
    socket.addEventListener("open", settle(resolve), once);
    socket.addEventListener(
      "close",
      settle(() => reject(new ConnectError(`Cannot connect to ${host}: the handshake failed`))),
      once,
    );
  });
}

const OPEN = 1;

/** The platform's WebSocket as a {@link Socket}. */
class WebSocketOfPage implements Socket {
  readonly #socket: PlatformSocket;
  readonly #clock: Clock;
  #listener: SocketListener | undefined;
  readonly #early: Uint8Array[] = [];
  #closed: string | undefined;
  /** Bytes given to the platform, and how many of them the network had taken when last looked at. */
  #sent = 0;
  #taken = 0;
  #isWatching = false;

  constructor(socket: PlatformSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.addEventListener("message", ({ data }) => {
      if (!(data instanceof ArrayBuffer) || this.#closed !== undefined) return;
      const bytes = new Uint8Array(data);
      if (this.#listener === undefined) this.#early.push(bytes);
      else this.#listener.message(bytes);
    });
    socket.addEventListener("close", () => this.#end("connection closed"));
  }

  get bufferedAmount(): number {
    return this.#closed === undefined ? this.#socket.bufferedAmount : 0;
  }

  send(message: Uint8Array): void {
    if (this.#closed !== undefined || this.#socket.readyState !== OPEN) return;
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    this.#sent += message.length;
    this.#watch();
  }

  close(): void {
    this.#socket.close();
    this.#end("closed by this client");
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener.message(bytes);
    if (this.#closed !== undefined) listener.closed(this.#closed);
  }

  /** Looks again in 2 s whether the network has taken anything, as long as something waits. */
  #watch(): void {
    if (this.#isWatching || this.#closed !== undefined || this.#socket.bufferedAmount === 0) return;
    this.#isWatching = true;
    this.#taken = this.#sent - this.#socket.bufferedAmount;
    this.#clock.setTimeout(() => {
      this.#isWatching = false;
      if (this.#closed !== undefined) return;
      const { bufferedAmount } = this.#socket;
      if (bufferedAmount > 0 && this.#sent - bufferedAmount <= this.#taken) {
        // The platform's own close would wait behind what is stuck.
        this.#end("the network does not take what is sent");
        this.#socket.close();
      } else this.#watch();
    }, WRITE_TIMEOUT);
  }

  #end(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#listener?.closed(reason);
  }
}
