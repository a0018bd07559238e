/** Ports from here on are taken by whoever asks the system for any port, or connects to somewhere. */
function firstOfTheSystem(): number {
  try {
    const range = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
    const first = Number.parseInt(range);
    if (first > LOWEST + 1_000) return first;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return 32_768;
}

const LOWEST = 20_000;

/**
 * A port of this machine that nobody listens on, for who must know it before it is bound. It is none
 * of those that the system gives away by itself, so that it stays free until then.
 */
export function freePort(): number {
  const count = firstOfTheSystem() - LOWEST;
  for (;;) {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    const port = LOWEST + random % count;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
