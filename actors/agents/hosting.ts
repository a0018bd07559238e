/** `RegisterAgentHost`: a host is there, and gets what waits for it. [agents 2] [agents R7] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { peerText } from "../../rpc/peer_id.ts";
import { fieldOf } from "../turn.ts";
import type { ActorSystem } from "../system.ts";
import type { ConnectionRef } from "../refs/mod.ts";
import { answerUnreadable } from "../refuse.ts";
import type { DeskContext } from "./desk.ts";
import { isUuid } from "./reading.ts";

/** Threads that a host may name at once. */
const MOST_THREADS = 10_000;

export function registerHost({ system, turn, inbound, desk }: DeskContext): void {
  const { hostId, name, threadIds } = decode("RegisterAgentHost", inbound.payload);
  if (!isUuid(hostId)) throw RpcError.internal("the host id has to be a UUID in lower case");
  if (threadIds.length > MOST_THREADS) {
    throw RpcError.internal(`a host may name ${MOST_THREADS} threads, not ${threadIds.length}`);
  }
  const { connection, requestId } = inbound;
  const { userId } = connection;
  turn.put("agent_hosts", {
    user_id: userId,
    host_id: hostId,
    name: name.slice(0, 200),
    seen_at: system.clock.now(),
  });
  // One connection is one host.
  const before = desk.hostOf(connection);
  if (before !== undefined) desk.hosts.delete(before);
  desk.hosts.set(hostId, connection);
  turn.happened("agent.host_registered", () => ({
    connection: peerText(connection.key),
    userId,
    hostId,
    name,
  }));
  const host = { hostId, threads: new Set(threadIds.filter(isUuid)) };
  turn.then((gate) =>
    system.journal.afterCommit(gate, () => void answer(system, connection, requestId, host))
  );
}

/** What waits for the host or its threads, and behind that each of it as a request. */
async function answer(
  system: ActorSystem,
  connection: ConnectionRef,
  requestId: number,
  { hostId, threads }: { readonly hostId: string; readonly threads: ReadonlySet<string> },
): Promise<void> {
  const { userId } = connection;
  try {
    const where = { user_id: userId, state: "waiting" };
    const commands = (await system.store.loadWhere("agent_commands", where))
      .sort((a, b) => a.created_at - b.created_at || a.ordinal - b.ordinal)
      .map(({ command, host_id }) => ({ host_id, command: decode("AgentCommand", command) }))
      .filter(({ command, host_id }) => host_id === hostId || threads.has(command.threadId))
      .map(({ command }) => command);
    connection.outbox.push(fieldOf("RegisterAgentHostResponse", { commands }), requestId, 0);
    for (const threadId of threads) {
      system.thread(userId, threadId).tell({ type: "thread.hosted", hostId }, 0);
    }
    const others = new Set(commands.map(({ threadId }) => threadId)).difference(threads);
    for (const threadId of others) {
      system.thread(userId, threadId).tell({ type: "thread.deliver" }, 0);
    }
  } catch (error) {
    answerUnreadable(system, { connection, requestId }, "Commands", error);
  }
}
