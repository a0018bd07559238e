/** Media of a room: what clients get to join it, and what the server tells it. [rooms 12] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { MediaConnection } from "../../media/port.ts";
import { answerError, type Asker } from "../refuse.ts";
import type { RoomContext } from "./context.ts";

type MediaInfo = Init<MessageTypes["LiveKitConnectionInfo"]>;

/**
 * Answers with what the client needs for media: at once without a media server, and in a turn of its
 * own when the token is made otherwise, so that the answer's snapshot is never older than what the
 * client has seen. A failure is logged and leaves the info out. [rooms 12.6] [rooms 19.6]
 *
 * @param answer makes the payload's field from the state of its moment
 * @param behind says what follows the answer, in the same turn
 */
export function answerWithMedia(
  context: RoomContext,
  { connection, requestId }: Asker,
  canPublish: boolean,
  answer: (info: MediaInfo | undefined) => Uint8Array,
  behind: (context: RoomContext) => void = () => {},
): void {
  const { system, turn, room } = context;
  const media = system.media.connect(room.liveKitRoom, connection.userId, canPublish);
  if (media === undefined) {
    turn.replyField(connection, requestId, answer(undefined));
    behind(context);
    return;
  }
  const reply = (info: MediaInfo | undefined) =>
    context.later(
      (again) => {
        again.turn.replyField(connection, requestId, answer(info));
        behind(again);
      },
      (error) => answerError({ connection, requestId }, error),
    );
  turn.then(() =>
    void media.then((info) => reply(wireInfo(info)), (error) => {
      system.log.warn("No media for room {room}: {error}", { room: room.id, error });
      reply(undefined);
    })
  );
}

function wireInfo(info: MediaConnection): MediaInfo {
  return { serverUrl: info.serverUrl, token: info.token, canPublish: info.canPublish };
}

/**
 * Runs calls to the media server one after the other; failures are logged, never surfaced. Without
 * a media server nothing is waited for.
 *
 * @param done called behind the last one, with the number of the turn's change
 */
export function tellMedia(
  { system, turn, room }: RoomContext,
  calls: readonly (() => Promise<void> | undefined)[],
  done: (gate: number) => void = () => {},
): void {
  turn.then((gate) => {
    void (async () => {
      for (const call of calls) {
        try {
          const told = call();
          if (told !== undefined) await told;
        } catch (error) {
          system.log.warn("The media server failed for room {room}: {error}", {
            room: room.id,
            error,
          });
        }
      }
      done(gate);
    })();
  });
}
