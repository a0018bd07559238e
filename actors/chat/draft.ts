/** What somebody wants to say, as far as it can be judged by itself. [channels 10.7.1] */
import type { MessageTypes } from "../../proto/mod.ts";
import { trimmed } from "../../lib/white_space.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { ChatDraft } from "../refs/mod.ts";

/** Bytes of a message. [channels 10.7.1] */
const LONGEST = 1024;
/** Mentions of a message: with more, some would have to be of nothing. */
const MOST_MENTIONS = LONGEST;

const utf8 = new TextEncoder();

/** A new message: without white space around it. @throws {RpcError} when it cannot be sent */
export function newDraft(request: MessageTypes["SendChannelMessage"]): ChatDraft {
  return draftOf(trimmed(request.body), request);
}

/** A changed message: as it was sent, within the same limits. [channels 10.8] */
export function editedDraft(request: MessageTypes["UpdateChannelMessage"]): ChatDraft {
  return draftOf(request.body, request);
}

function draftOf(
  body: string,
  { nonce, mentions }: Pick<MessageTypes["SendChannelMessage"], "nonce" | "mentions">,
): ChatDraft {
  // No text has fewer bytes than half its characters' units have.
  if (body.length > LONGEST || utf8.encode(body).length > LONGEST) {
    throw RpcError.internal(`a message has at most ${LONGEST} bytes`);
  }
  if (trimmed(body) === "") throw RpcError.internal("a message needs a text");
  if (nonce === undefined) throw RpcError.internal("a message needs a nonce");
  if (mentions.length > MOST_MENTIONS) {
    throw RpcError.internal(`a message has at most ${MOST_MENTIONS} mentions`);
  }
  if (mentions.some(({ range }) => range === undefined)) {
    throw RpcError.internal("a mention needs a range");
  }
  return { body, nonce: nonceText(nonce), mentions };
}

function nonceText({ upperHalf, lowerHalf }: MessageTypes["Nonce"]): string {
  const digits = (half: bigint) => half.toString(16).padStart(16, "0");
  return digits(upperHalf) + digits(lowerHalf);
}
