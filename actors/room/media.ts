/** Media of a room: what clients get to join it, and what the server tells it. [rooms 12] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { MediaConnection } from "../../media/port.ts";
import type { ConnectionRef } from "../refs.ts";
import type { RoomContext } from "./context.ts";

/** What an answer needs: absent info where there is no media server or it failed. */
export interface MediaAnswer {
  readonly info: Init<MessageTypes["LiveKitConnectionInfo"]> | undefined;
  readonly gate: number;
}

/**
 * Answers with what the client needs for media: at once without a media server, and when the token
 * is made otherwise. A failure is logged and leaves the info out. [rooms 12.6]
 */
export function answerWithMedia(
  { system, turn, room }: RoomContext,
  connection: ConnectionRef,
  canPublish: boolean,
  answer: (media: MediaAnswer) => void,
): void {
  const media = system.media.connect(room.liveKitRoom, connection.userId, canPublish);
  if (media === undefined) turn.then((gate) => answer({ info: undefined, gate }));
  else {
    turn.then((gate) =>
      void media.then(
        (info) => answer({ info: wireInfo(info), gate }),
        (error) => {
          system.log.warn("No media for room {room}: {error}", { room: room.id, error });
          answer({ info: undefined, gate });
        },
      )
    );
  }
}

function wireInfo(info: MediaConnection): Init<MessageTypes["LiveKitConnectionInfo"]> {
  return { serverUrl: info.serverUrl, token: info.token, canPublish: info.canPublish };
}

/** Runs calls to the media server one after the other; failures are logged, never surfaced. */
export function tellMedia(
  { system, turn, room }: RoomContext,
  calls: readonly (() => Promise<void>)[],
): void {
  turn.then(() => {
    void (async () => {
      for (const call of calls) {
        try {
          await call();
        } catch (error) {
          system.log.warn("The media server failed for room {room}: {error}", {
            room: room.id,
            error,
          });
        }
      }
    })();
  });
}
