/** Whether a message was passed on as it came. */
import { assert, assertEquals } from "@std/assert";
import { FrameShape, walkFrame } from "../../rpc/zstd_walk.ts";

/**
 * Checks that `sent` is one frame that has the blocks of `original` as they are, and behind them a
 * block with new header fields and nothing else. [design 1.7]
 */
export function assertCarries(sent: Uint8Array | undefined, original: Uint8Array): void {
  assert(sent !== undefined, "nothing was sent");
  const [theirs, ours] = [new FrameShape(), new FrameShape()];
  walkFrame(original, 0, Infinity, theirs);
  walkFrame(sent, 0, Infinity, ours);
  assertEquals(ours.end, sent.length, "one frame");
  assertEquals(ours.blockCount, theirs.blockCount + 1);
  const blocks = original.slice(theirs.blocks, theirs.blocksEnd);
  const last = theirs.last - theirs.blocks;
  blocks[last] = (blocks[last] as number) & ~1;
  assertEquals(sent.slice(ours.blocks, ours.last), blocks);
  assert(sent.length - ours.last < 32, "a header and nothing else");
}
