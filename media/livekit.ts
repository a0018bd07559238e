/** LiveKit, by its own server SDK: tokens for clients, and the calls that a room makes. [rooms 12] */
import { AccessToken, RoomServiceClient } from "livekit-server-sdk";
import { deadline } from "@std/async/deadline";
import type { MediaConnection, MediaServer } from "./port.ts";

export interface LiveKitOptions {
  /** `http(s)://` or `ws(s)://` URL, for clients and for this server's calls alike. */
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  /** Longest wait for one call, milliseconds. [rooms 0] */
  readonly timeLimit: number;
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
    const token = new AccessToken(this.#options.key, this.#options.secret, {
      identity: String(userId),
      ttl: TOKEN_LIFE,
    });
    token.addGrant({ room, roomJoin: true, canPublish, canSubscribe: true });
    return { serverUrl: this.#serverUrl, token: await token.toJwt(), canPublish };
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
