/** LiveKit: tokens for clients, and by its own server SDK the calls that a room makes. [rooms 12] */
import { SignJWT } from "jose";
import { RoomServiceClient } from "livekit-server-sdk";
import { deadline } from "@std/async/deadline";
import type { MediaConnection, MediaServer } from "./port.ts";

export interface LiveKitOptions {
  /** `http(s)://` or `ws(s)://` URL, for clients and for this server's calls alike. */
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  /** Longest wait for one call, milliseconds. [rooms 0] */
  readonly timeLimit: number;
  /** Unix time, milliseconds. */
  readonly now: () => number;
}

/** Seconds that a client may join with a token. [rooms 12.3] */
const TOKEN_LIFE = 21_600;

export class LiveKit implements MediaServer {
  readonly #options: LiveKitOptions;
  readonly #serverUrl: string;
  readonly #rooms: RoomServiceClient;

  constructor(options: LiveKitOptions) {
    this.#options = options;
    this.#serverUrl = options.url.replace(/\/$/, "");
    this.#rooms = new RoomServiceClient(
      this.#serverUrl.replace(/^ws/, "http"),
      options.key,
      options.secret,
    );
  }

  async connect(room: string, userId: number, canPublish: boolean): Promise<MediaConnection> {
    const { key, secret, now } = this.#options;
    const identity = String(userId);
    const issued = Math.floor(now() / 1000);
    // The SDK's own tokens do not tell when they were made, and are good for nothing yet where the
    // media server's clock is behind.
    const token = await new SignJWT({
      jwtid: identity,
      video: { room, roomJoin: true, canPublish, canSubscribe: true },
    })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(key).setSubject(identity)
      .setIssuedAt(issued).setNotBefore(0).setExpirationTime(issued + TOKEN_LIFE)
      .sign(new TextEncoder().encode(secret));
    return { serverUrl: this.#serverUrl, token, canPublish };
  }

  async removeParticipant(room: string, userId: number): Promise<void> {
    await this.#call(this.#rooms.removeParticipant(room, String(userId)));
  }

  async deleteRoom(room: string): Promise<void> {
    await this.#call(this.#rooms.deleteRoom(room));
  }

  async updateParticipant(room: string, userId: number, canPublish: boolean): Promise<void> {
    await this.#call(this.#rooms.updateParticipant(room, String(userId), {
      permission: {
        canSubscribe: true,
        canPublish,
        canPublishData: canPublish,
        hidden: false,
        recorder: false,
      },
    }));
  }

  /** @throws {DOMException} `TimeoutError` when the media server does not answer in time */
  async #call(call: Promise<unknown>): Promise<void> {
    await deadline(call, this.#options.timeLimit);
  }
}
