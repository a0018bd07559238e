/** Handlers of the messages about agents, by name. [agents 2] */
import { decode, type Init, type MessageName, type MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { answerThread, answerThreads } from "./describing.ts";
import type { DeskContext } from "./desk.ts";
import { registerHost } from "./hosting.ts";
import { isUuid } from "./reading.ts";
import { acknowledge, subscribe, unsubscribe } from "./subscribing.ts";

type CommandName =
  | "SendAgentMessage"
  | "UseAgentTools"
  | "DenyAgentTools"
  | "CancelAgentCompletion"
  | "RestoreThreadCheckpoint"
  | "ArchiveAgentThread"
  | "DeleteAgentThread";

/** Field of `AgentCommand` that a command goes to its host in. */
const COMMAND_FIELDS: Readonly<Record<CommandName, keyof MessageTypes["AgentCommand"]>> = {
  SendAgentMessage: "sendMessage",
  UseAgentTools: "useTools",
  DenyAgentTools: "denyTools",
  CancelAgentCompletion: "cancelCompletion",
  RestoreThreadCheckpoint: "restoreCheckpoint",
  ArchiveAgentThread: "archiveThread",
  DeleteAgentThread: "deleteThread",
};

/** Commands beyond this are refused: they are no events, but kept as those are. [agents R9] */
const COMMAND_BYTES = 256 << 10;

/** `PublishAgentEvents` is not here: it changes nothing at the desk. */
export const deskHandlers: Partial<Record<MessageName, (context: DeskContext) => void>> = {
  RegisterAgentHost: registerHost,
  SubscribeToAgentEvents: subscribe,
  AckAgentEvents: acknowledge,
  UnsubscribeFromAgentEvents: unsubscribe,
  GetAgentThreads: answerThreads,
  GetAgentThread: answerThread,
  CreateAgentThread: createThread,
  SendAgentMessage: passCommand,
  UseAgentTools: passCommand,
  DenyAgentTools: passCommand,
  CancelAgentCompletion: passCommand,
  RestoreThreadCheckpoint: passCommand,
  ArchiveAgentThread: passCommand,
  DeleteAgentThread: passCommand,
};

function passCommand({ system, turn, inbound }: DeskContext): void {
  const name = inbound.route.message as CommandName;
  const request = decode(name, inbound.payload);
  const { threadId, commandId } = request;
  requireIds(inbound.payload, { "thread id": threadId, "command id": commandId });
  const command: Init<MessageTypes["AgentCommand"]> = {
    threadId,
    commandId,
    [COMMAND_FIELDS[name]]: request,
  };
  const { connection, requestId } = inbound;
  turn.then((gate) =>
    system.thread(connection.userId, threadId).tell({
      type: "thread.command",
      request: { connection, requestId, commandId, command },
    }, gate)
  );
}

/** On the host that is named, or on the only one that is there. */
function createThread({ system, turn, inbound, desk }: DeskContext): void {
  const request = decode("CreateAgentThread", inbound.payload);
  const { threadId, commandId } = request;
  requireIds(inbound.payload, { "thread id": threadId, "command id": commandId });
  const present = [...desk.hosts.keys()];
  const hostId = request.hostId ?? (present.length === 1 ? present[0]! : undefined);
  if (hostId === undefined) {
    throw RpcError.internal(`name a host: ${present.length} are connected at the moment`);
  }
  requireIds(inbound.payload, { "host id": hostId });
  const { connection, requestId } = inbound;
  const command = { threadId, commandId, createThread: { ...request, hostId } };
  turn.then((gate) =>
    system.thread(connection.userId, threadId).tell({
      type: "thread.create",
      hostId,
      request: { connection, requestId, commandId, command },
    }, gate)
  );
}

function requireIds(payload: Uint8Array, ids: Readonly<Record<string, string>>): void {
  if (payload.length > COMMAND_BYTES) {
    throw RpcError.internal(`a command may have ${COMMAND_BYTES} bytes, not ${payload.length}`);
  }
  for (const [what, id] of Object.entries(ids)) {
    if (!isUuid(id)) throw RpcError.internal(`the ${what} has to be a UUID in lower case`);
  }
}
