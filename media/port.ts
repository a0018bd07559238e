/** The port to the media server (voice, video, screen sharing). [rooms 12] */

/** What a client needs to join a room's media. */
export interface MediaConnection {
  readonly serverUrl: string;
  readonly token: string;
  readonly canPublish: boolean;
}

/** Without a media server all of it is undefined: rooms work, clients have no audio. */
export interface MediaServer {
  connect(
    room: string,
    userId: number,
    canPublish: boolean,
  ): Promise<MediaConnection> | undefined;
  removeParticipant(room: string, userId: number): Promise<void> | undefined;
  deleteRoom(room: string): Promise<void> | undefined;
  updateParticipant(
    room: string,
    userId: number,
    canPublish: boolean,
  ): Promise<void> | undefined;
}
