import { ConnectError } from "../../client/errors.ts";
import type { Socket, Transport } from "../../client/transport.ts";

/** A network that a test takes away. What it cuts looks to the client like any other loss. */
export class FlakyNetwork implements Transport {
  readonly #transport: Transport;
  readonly #open = new Set<Socket>();
  /** Whether connections can be made. */
  isUp = true;
  /** How often somebody tried. */
  attempts = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** As the transport below, while the network is up. */
  async connect(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Socket> {
    this.attempts++;
    if (!this.isUp) throw new ConnectError(`Cannot reach ${url.host}: the network is down`);
    const socket = await this.#transport.connect(url, headers, signal);
    this.#open.add(socket);
    return socket;
  }

  /** Ends all connections, and lets no other be made. */
  cut(): void {
    this.isUp = false;
    this.drop();
  }

  /** Ends all connections; others can be made at once. */
  drop(): void {
    for (const socket of this.#open) socket.close();
    this.#open.clear();
  }
}
