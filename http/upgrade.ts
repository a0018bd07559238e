/** From a request to a WebSocket, by the runtime, which leaves a part of RFC 6455 to us. */
import { plainText } from "./responses.ts";

/** The only version of the protocol that there is. (RFC 6455, 4.4) */
const VERSION = "13";

/**
 * Upgrades, or answers 400: never 426, which tells Zed that it must be updated. [transport 1.5.1]
 *
 * @param idleSeconds without a sign of life after which the runtime ends the socket
 */
export function upgradeSocket(
  request: Request,
  idleSeconds: number,
): Deno.WebSocketUpgrade | Response {
  const refuse = (why: string) =>
    plainText(400, `not a WebSocket handshake: ${why}`, { "sec-websocket-version": VERSION });
  if (request.headers.get("sec-websocket-version") !== VERSION) {
    return refuse(`Sec-WebSocket-Version must be ${VERSION}`);
  }
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout: idleSeconds });
  } catch (error) {
    return refuse((error as Error).message);
  }
}
