/** The port to the media server (voice, video, screen sharing). [rooms 12] */

/** What a client needs to join a room's media. */
export interface MediaConnection {
  readonly serverUrl: string;
  readonly token: string;
  readonly canPublish: boolean;
}

export interface MediaServer {
  /** Undefined without a media server: rooms work, clients have no audio. */
  connect(
    room: string,
    userId: number,
    canPublish: boolean,
  ): Promise<MediaConnection> | undefined;
  removeParticipant(room: string, userId: number): Promise<void>;
  deleteRoom(room: string): Promise<void>;
  updateParticipant(room: string, userId: number, canPublish: boolean): Promise<void>;
}
