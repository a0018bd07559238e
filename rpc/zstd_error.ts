/** The failure of everything that reads zstd. */

/**
 * Why a message is not accepted as zstd:
 *
 * - `empty`: no bytes at all
 * - `truncated`: it ends inside a frame
 * - `not-zstd`: it does not begin with a frame
 * - `too-large`: its content, its window or its number of frames is above the limit
 * - `dictionary`: a frame wants a dictionary
 * - `skippable`: a skippable frame
 * - `corrupt`: the bits of a frame contradict each other, its declared size or its checksum
 * - `trailing`: something other than a frame follows a frame
 */
export type FrameErrorReason =
  | "empty"
  | "truncated"
  | "not-zstd"
  | "too-large"
  | "dictionary"
  | "skippable"
  | "corrupt"
  | "trailing";

/** A message that is not a row of acceptable zstd frames. It ends the connection. [transport 1.6.4] */
export class FrameError extends Error {
  override readonly name = "FrameError";
  constructor(
    message: string,
    /** What is wrong, for metrics and tests. */
    readonly reason: FrameErrorReason,
  ) {
    super(message);
  }
}
