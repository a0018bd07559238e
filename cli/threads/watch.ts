/** `watch`: what happens in threads, as it happens. */
import { AgentSubscription, CollabClient } from "../../client/mod.ts";
import { chainText, UnauthorizedError, UpgradeRequiredError } from "../../client/errors.ts";
import type { ClientOptions } from "../../client/mod.ts";
import { jsonOf, Transcript } from "./show.ts";
import type { Paint } from "./paint.ts";

/** What is watched, and how it is shown. */
export interface WatchOptions {
  readonly client: ClientOptions;
  /** One thread; without it all, from now on. */
  readonly threadId: string | undefined;
  /** Only what is behind this event. */
  readonly after: bigint | undefined;
  readonly json: boolean;
  /** Ends with the agent's turn. */
  readonly untilStopped: boolean;
  readonly paint: Paint;
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Messages of a thread that are shown before what happens. */
const HISTORY = 20;

/** Watches until it is ended. @throws {ConnectError} {RequestError} it cannot begin, or go on */
export async function watch(options: WatchOptions): Promise<void> {
  const { threadId, json, untilStopped, write, note, signal } = options;
  await using client = await CollabClient.connect(options.client);
  const transcript = new Transcript(options.paint, write);
  let { after } = options;
  if (threadId !== undefined && after === undefined) {
    const request = { threadId, messageLimit: HISTORY };
    const { messages, lastSeq } = await client.request("GetAgentThread", request);
    if (!json) { for (const message of messages) transcript.past(message); }
    after = lastSeq;
  }
  const subscription = new AgentSubscription({
    // Every watcher reads by itself.
    subscriberId: crypto.randomUUID(),
    ...(threadId !== undefined && { threadId, cursors: [[threadId, after ?? 0n] as const] }),
    ...(threadId === undefined && after === undefined && { since: BigInt(Date.now()) }),
    onGap: ({ upToSeq }) => note(`Events up to ${upToSeq} are not kept any more`),
  });
  await subscription.attach(client);
  const end = () => void subscription.end().catch(() => {});
  let refusal: Error | undefined;
  const stop = client.onStatus((status) => {
    if (status.name === "ConnectionLost") note("The server is away; trying again");
    if ("error" in status && isFinal(status.error)) {
      refusal = status.error;
      end();
    }
    if (status.name !== "Connected") return;
    note("The server is back");
    subscription.attach(client).catch((error) => note(`Cannot go on: ${chainText(error)}`));
  });
  signal.addEventListener("abort", end, { once: true });
  // It may have been ended before anything was heard.
  if (signal.aborted) end();
  try {
    for await (const event of subscription) {
      if (json) write(`${jsonOf(event)}\n`);
      else transcript.show(event);
      if (untilStopped && event.completionStopped !== undefined) break;
      // Nothing can follow, under this id never again.
      if (threadId !== undefined && event.threadDeleted !== undefined) break;
    }
    if (refusal !== undefined) throw refusal;
    // An end that was asked for is under way already.
    if (!signal.aborted) await subscription.end();
  } finally {
    signal.removeEventListener("abort", end);
    stop();
  }
}

/** Whether another attempt is of no use. */
function isFinal(error: Error): boolean {
  return error instanceof UnauthorizedError || error instanceof UpgradeRequiredError;
}
