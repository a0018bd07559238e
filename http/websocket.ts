/** The WebSocket of Zed's protocol, on Deno's native upgrade. [transport 1] */
import type { Actors } from "../actors/start.ts";
import type { ClientSocket, Connection, Principal } from "../actors/connection/mod.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Admission } from "./admission.ts";
import type { Guesser } from "./guess_limit.ts";
import { plainText } from "./responses.ts";
import { upgradeSocket } from "./upgrade.ts";

const SWITCHING_PROTOCOLS = 101;

/** Whether Deno ends a socket because its peer answers no ping; only the text tells. */
function isSilence(event: Event): boolean {
  return event instanceof ErrorEvent && event.message.startsWith("No response from ping");
}

/** Deno's socket as connections need it; one that is not open takes nothing and buffers nothing. */
class DenoSocket implements ClientSocket {
  readonly #socket: WebSocket;
  readonly #metrics: Metrics;
  readonly #givenUp: () => void;

  /** @param givenUp hears that the socket is closed from this side; its peer may not let it */
  constructor(socket: WebSocket, metrics: Metrics, givenUp: () => void) {
    this.#socket = socket;
    this.#metrics = metrics;
    this.#givenUp = givenUp;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    this.#metrics.messagesSent.inc();
    this.#metrics.bytesSent.inc(bytes.length);
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#givenUp();
    this.#socket.close(code, reason);
  }
}

/** Hears who is let in, before the upgrade, and may say more of him, or refuse him after all. */
export type Admitted = (
  principal: Principal,
) => Principal | Response | Promise<Principal | Response>;

/**
 * Answers a handshake for `/rpc`: refused with its status before the upgrade, or a connection.
 *
 * @param headers who connects, and with what: the request's own, or those of its ticket
 */
export async function upgradeRpc(
  request: Request,
  actors: Actors,
  admission: Admission,
  metrics: Metrics,
  guesser?: Guesser,
  admitted: Admitted = (principal) => principal,
  headers: Headers = request.headers,
): Promise<Response> {
  const answer = await shakeHands(request, actors, admission, metrics, guesser, admitted, headers);
  if (answer.status !== SWITCHING_PROTOCOLS) metrics.refusedHandshakes.inc(`${answer.status}`);
  return answer;
}

async function shakeHands(
  request: Request,
  actors: Actors,
  admission: Admission,
  metrics: Metrics,
  guesser: Guesser | undefined,
  admitted: Admitted,
  headers: Headers,
): Promise<Response> {
  const checked = await admission.check({ headers }, guesser);
  if (checked instanceof Response) return checked;
  const principal = await admitted(checked);
  if (principal instanceof Response) return principal;
  const end = actors.journal.failure === undefined ? admission.begin() : undefined;
  if (end === undefined) {
    return plainText(503, "too many connections, try again later", { "retry-after": "5" });
  }
  const upgraded = upgradeSocket(request, actors.times.idle / 1000);
  if (upgraded instanceof Response) {
    end();
    return upgraded;
  }
  const { socket, response } = upgraded;
  socket.binaryType = "arraybuffer";
  let connection: Connection | undefined;
  let over = false;
  let given = false;
  // The upgrade may never happen: the client has gone between its request and our answer.
  const patience = actors.clock.setTimeout(end, actors.times.handshake);
  socket.onopen = () => {
    actors.clock.clearTimeout(patience);
    if (actors.draining || over) {
      end();
      socket.close();
      return;
    }
    connection = actors.connect(
      new DenoSocket(socket, metrics, () => {
        given = true;
        metrics.zombieSockets.inc();
      }),
      principal,
      end,
    );
  };
  socket.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) connection?.receive(new Uint8Array(data));
    else connection?.receiveText();
  };
  const closed = () => {
    if (over) return;
    over = true;
    end();
    if (given) metrics.zombieSockets.dec();
    connection?.socketClosed();
  };
  socket.onclose = closed;
  // An error is always followed by a close event, except when the peer does not let it close.
  socket.onerror = (event) => {
    event.preventDefault();
    if (isSilence(event)) connection?.drop("idle");
    else connection?.socketClosed();
  };
  return response;
}
