/** `GET /client/users/connect`: the WebSocket on which Zed waits for notices. [transport 3.7] */
import { plainText } from "../responses.ts";
import type { UserExchange } from "../route.ts";
import { upgradeSocket } from "../upgrade.ts";
import type { NoticeSocket } from "./notices.ts";

/** Seconds without a frame after which the peer counts as gone; it pings every second. */
const IDLE = 30;

/**
 * Upgrades, and says nothing until something changes. The runtime answers the client's pings; what
 * else it may send is ignored.
 */
export function connectNotices({ request, user, tokenId, deps }: UserExchange): Response {
  const { notices, actors } = deps;
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return plainText(426, "connect with a WebSocket", { upgrade: "websocket" });
  }
  if (actors.draining || !notices.hasRoom(user.id)) {
    return plainText(503, "too many connections, try again later", { "retry-after": "30" });
  }
  const upgraded = upgradeSocket(request, IDLE);
  if (upgraded instanceof Response) return upgraded;
  const { socket, response } = upgraded;
  const open: NoticeSocket = {
    tokenId,
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    close: () => socket.close(1001),
  };
  socket.onopen = () => {
    if (actors.draining) socket.close(1001);
    else notices.add(user.id, open);
  };
  socket.onclose = () => notices.remove(user.id, open);
  socket.onerror = (event) => {
    event.preventDefault();
    notices.remove(user.id, open);
  };
  return response;
}
