/** No media server: every room function works, clients simply have no audio. [rooms 12.1] */
import type { MediaServer } from "./port.ts";

export const mediaOff: MediaServer = {
  connect: () => undefined,
  removeParticipant: () => undefined,
  deleteRoom: () => undefined,
  updateParticipant: () => undefined,
};
