/** Connections with Deno's WebSocket, which sends headers of our own. */
import {
  ConnectError,
  OverloadedError,
  UnauthorizedError,
  UpgradeRequiredError,
} from "./errors.ts";
import type { Socket, SocketListener, Transport } from "./transport.ts";

/** Makes connections as Deno does. */
export const denoTransport: Transport = {
  connect(url, headers, signal) {
    return new Promise<Socket>((resolve, reject) => {
      signal.throwIfAborted();
      const webSocket = new WebSocket(url, { headers: { ...headers } });
      webSocket.binaryType = "arraybuffer";
      const socket = new DenoSocket(webSocket);
      const abort = () => {
        reject(signal.reason);
        webSocket.close();
      };
      signal.addEventListener("abort", abort, { once: true });
      webSocket.onopen = () => {
        signal.removeEventListener("abort", abort);
        resolve(socket);
      };
      // After it has opened, an error is followed by `close`, which says the same.
      webSocket.onerror = (event) => {
        signal.removeEventListener("abort", abort);
        reject(connectError(url, event instanceof ErrorEvent ? event.message : ""));
      };
    });
  },
};

class DenoSocket implements Socket {
  readonly #webSocket: WebSocket;
  /** What arrived before somebody listens. */
  #early: Uint8Array[] = [];
  #closed: string | undefined;
  #listener: SocketListener | undefined;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const bytes = new Uint8Array(data);
      if (this.#listener === undefined) this.#early.push(bytes);
      else this.#listener.message(bytes);
    };
    webSocket.onclose = ({ code, reason }) => {
      // Some ends are told twice.
      if (this.#closed !== undefined) return;
      this.#closed = `connection closed (${[code, reason].filter(Boolean).join(" ")})`;
      this.#listener?.closed(this.#closed);
    };
  }

  get bufferedAmount(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#webSocket.send(message as Uint8Array<ArrayBuffer>);
  }

  close(): void {
    this.#webSocket.close();
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) listener.message(bytes);
    if (this.#closed !== undefined) listener.closed(this.#closed);
  }
}

/** Deno tells the status of a refused handshake in words only. */
function connectError(url: URL, problem: string): ConnectError {
  const status = /status code: (\d{3})/.exec(problem)?.[1];
  switch (status) {
    case "401":
      return new UnauthorizedError(`Cannot sign in at ${url.host}: unknown user or wrong token`);
    case "426":
      return new UpgradeRequiredError(`Cannot connect to ${url.host}: it wants a newer client`);
    case "503":
      return new OverloadedError(`Cannot connect to ${url.host}: it takes no more connections`);
    default:
      return new ConnectError(
        `Cannot open a WebSocket to ${url.host}: ${problem || "no reason was told"}`,
      );
  }
}
