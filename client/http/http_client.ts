/** Plain requests to a server, as the library makes them. [transport 8.2] */

/** One request. */
export interface HttpRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it comes. */
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How many redirects are followed; 0 hands the redirect itself out. Default 10. */
  readonly redirects?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests; its answers' bodies are streams. */
export interface HttpClient {
  /**
   * Resolves with the head of the answer, whatever its status. The body has to be read or cancelled.
   *
   * @throws {ConnectError} there was no answer.
   */
  request(url: string, request?: HttpRequest): Promise<Response>;
  /** Ends what is kept open. */
  close(): void;
}

/** How many redirects are followed where a request says nothing. [transport 8.2.3] */
export const DEFAULT_REDIRECTS = 10;
