import {
  DeleteRoomRequest,
  RoomParticipantIdentity,
  UpdateParticipantRequest,
} from "./packages/livekit_protocol.ts";
import { TokenVerifier } from "livekit-server-sdk";

/** The requests that a LiveKit server reads; a field that it does not know is an error. */
const REQUESTS = {
  RemoveParticipant: RoomParticipantIdentity,
  DeleteRoom: DeleteRoomRequest,
  UpdateParticipant: UpdateParticipantRequest,
} as const;

type Body = Partial<
  Pick<UpdateParticipantRequest, "room" | "identity" | "metadata" | "permission">
>;

/** One call of `livekit.RoomService`, with what its bearer token allows. */
export interface LiveKitCall {
  readonly method: keyof typeof REQUESTS;
  readonly body: Body;
  readonly grants: Record<string, unknown>;
}

/**
 * Stands in for a LiveKit server, which cannot be had in tests: takes the SDK's Twirp calls over real
 * HTTP, verifies their tokens with the SDK's own verifier and reads them with its own protobufs.
 */
export class LiveKitService implements AsyncDisposable {
  readonly key = "test-key";
  readonly secret = "a-secret-of-at-least-32-characters!";
  readonly calls: LiveKitCall[] = [];
  /** Calls that no LiveKit server takes. */
  readonly refused: string[] = [];
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
    const { pathname } = new URL(request.url);
    const [, method] = /^\/twirp\/livekit\.RoomService\/(\w+)$/.exec(pathname) ?? [];
    const bearer = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    const type = request.headers.get("content-type") ?? "";
    if (
      request.method !== "POST" || bearer === undefined || method === undefined ||
      !(method in REQUESTS) || !type.startsWith("application/json")
    ) {
      this.refused.push(`${request.method} ${pathname} ${type}`);
      return Response.json({ code: "bad_route", msg: pathname }, { status: 404 });
    }
    const { video } = await this.claims(bearer);
    const known = method as keyof typeof REQUESTS;
    const body: Body = REQUESTS[known].fromJson(await request.json());
    this.calls.push({ method: known, body, grants: { ...(video as Record<string, unknown>) } });
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
