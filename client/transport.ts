/** What the client needs of a network, so that it runs wherever something like a WebSocket is. */

/** Takes what a {@link Socket} receives. */
export interface SocketListener {
  /** One binary message; text messages are dropped before. [transport 1.6.7] */
  message(bytes: Uint8Array): void;
  /** The connection ended, whoever ended it; called once, nothing follows. */
  closed(reason: string): void;
}

/** An open WebSocket. */
export interface Socket {
  /** Queues one binary message; neither waits nor throws, also after the end. [transport 1.7.1] */
  send(message: Uint8Array): void;
  /** Whether it ends by itself when the server is silent; else the client asks now and then. */
  readonly noticesSilence?: boolean;
  /** Bytes sent that the network has not taken yet. */
  readonly bufferedAmount: number;
  /** Ends the connection. {@link SocketListener.closed} follows, at once or later. */
  close(): void;
  /** Says who takes what arrives, once; what arrived before is delivered to him first. */
  listen(listener: SocketListener): void;
}

/** Makes connections. */
export interface Transport {
  /** Whether the server is asked where its WebSocket is; browsers hide the answer. Default true. */
  readonly canDiscover?: boolean;
  /**
   * Opens a WebSocket.
   *
   * @param url with the scheme ws: or wss:
   * @param headers of the handshake [transport 1.2.2]
   * @param signal ends the attempt
   * @throws {ConnectError} it could not be opened; its subclasses tell what a caller can do
   */
  connect(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Socket>;
}
