/** Threads of a user, however many: a server gives a page at a time. */
import type { CollabClient } from "../../client/mod.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { UsageError } from "../args.ts";
import { programName } from "../program_name.ts";

type AgentThread = MessageTypes["AgentThread"];

/** Threads of one request; servers give no more. */
const PAGE = 200;

/** The newest threads, at most so many. */
export async function newestThreads(
  client: Pick<CollabClient, "request">,
  limit: number,
  includeArchived: boolean,
): Promise<AgentThread[]> {
  const found: AgentThread[] = [];
  for (let before = ""; found.length < limit;) {
    const request = { limit: Math.min(limit - found.length, PAGE), before, includeArchived };
    const { threads, nextCursor } = await client.request("GetAgentThreads", request);
    found.push(...threads);
    if (nextCursor === "") break;
    before = nextCursor;
  }
  return found;
}

/** The id of the thread that is named by it, or by its beginning. @throws {UsageError} none is, or several are */
export async function threadNamed(
  client: Pick<CollabClient, "request">,
  start: string,
): Promise<string> {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(start)) return start;
  const threads = await newestThreads(client, Infinity, true);
  const ids = new Set(threads.map(({ threadId }) => threadId).filter((id) => id.startsWith(start)));
  const [only] = ids;
  if (only !== undefined && ids.size === 1) return only;
  throw new UsageError(
    only === undefined
      ? `Cannot find the thread ${start}: ${programName()} threads lists them`
      : `Cannot tell which thread: ${ids.size} begin with ${start}; give more of the id`,
  );
}
