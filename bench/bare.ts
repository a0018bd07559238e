/**
 * The bare server that Parley is compared with: what comes from `/host` goes to all of `/guest` and
 * is answered, and nothing else happens. The first line that it prints is its URL.
 */

/** As long as Parley's answer to an `UpdateBuffer`. */
const ANSWER = new Uint8Array(16);
/** As long as what Parley tells a connection that signs in. */
const GREETINGS = [new Uint8Array(24), new Uint8Array(20)];
const IDLE_SECONDS = 10;

const guests = new Set<WebSocket>();

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  // deno-lint-ignore no-console -- read by who has started this
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, (request) => {
  const { pathname } = new URL(request.url);
  if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS });
  socket.binaryType = "arraybuffer";
  if (pathname === "/host") {
    socket.onmessage = ({ data }) => {
      for (const guest of guests) guest.send(data);
      socket.send(ANSWER);
    };
  } else if (pathname === "/guest") {
    guests.add(socket);
    socket.onclose = () => guests.delete(socket);
  } else {
    socket.onopen = () => {
      for (const greeting of GREETINGS) socket.send(greeting);
    };
  }
  return response;
});
