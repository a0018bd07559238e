import { TokenVerifier } from "livekit-server-sdk";

/** One call of `livekit.RoomService`, with what its bearer token allows. */
export interface LiveKitCall {
  readonly method: string;
  readonly body: Record<string, unknown>;
  readonly grants: Record<string, unknown>;
}

/**
 * Stands in for a LiveKit server, which cannot be had in tests: takes the SDK's Twirp calls over real
 * HTTP and verifies their tokens with the SDK's own verifier.
 */
export class LiveKitService implements AsyncDisposable {
  readonly key = "test-key";
  readonly secret = "a-secret-of-at-least-32-characters!";
  readonly calls: LiveKitCall[] = [];
  /** Answers calls with this status instead of taking them. */
  failWith: number | undefined;
  /** Takes calls and never answers them. */
  silent = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: this.#stop.signal },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Flags of `serve` that point a server at this service. */
  get flags(): string[] {
    return [
      "--livekit-server",
      `${this.url}/`,
      "--livekit-key",
      this.key,
      "--livekit-secret",
      this.secret,
    ];
  }

  /** The claims of a client's token, verified. */
  async claims(token: string): Promise<Record<string, unknown>> {
    return { ...await new TokenVerifier(this.key, this.secret).verify(token) };
  }

  async #answer(request: Request): Promise<Response> {
    const method = new URL(request.url).pathname.replace("/twirp/livekit.RoomService/", "");
    const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    const { video } = await this.claims(token);
    const body = await request.json() as Record<string, unknown>;
    this.calls.push({ method, body, grants: { ...(video as Record<string, unknown>) } });
    if (this.silent) return await new Promise<Response>(() => {});
    if (this.failWith !== undefined) {
      return Response.json({ code: "internal", msg: "no" }, { status: this.failWith });
    }
    return Response.json({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}
