/** Commands of the user's other devices, done as if in the editor. [agents R7] [agents 4b] [agents 4c] */
import { RpcError } from "../../rpc/errors.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { type Heard, lineOf, Method, text } from "./acp.ts";
import { type Bridge, tellEnd } from "./bridge.ts";
import { optionFor, type Question, type Session } from "./session.ts";

type Command = MessageTypes["AgentCommand"];

/**
 * Does a command; resolves when the agent has it. A bridge that ends answers nothing more: what it has
 * not begun waits at the server for the next one.
 *
 * @throws {RpcError} why it cannot be done
 */
export async function carryOut(bridge: Bridge, command: Command): Promise<void> {
  try {
    await attempt(bridge, command);
  } catch (error) {
    if (bridge.ended !== undefined) return await new Promise<never>(() => {});
    throw error;
  }
}

async function attempt(bridge: Bridge, command: Command): Promise<void> {
  const { threadId, commandId } = command;
  const { createThread, sendMessage, useTools, denyTools } = command;
  const sealed = (createThread ?? sendMessage ?? useTools ?? denyTools ?? command.restoreCheckpoint)
    ?.sealed;
  if (sealed !== undefined) {
    throw RpcError.internal("this bridge has no keys for sealed commands");
  }
  if (bridge.ended !== undefined) throw new Error(bridge.ended);
  if (createThread !== undefined) return await create(bridge, command);
  if (sendMessage !== undefined) {
    const session = bridge.sessions.of(threadId) ?? await whenOpen(bridge, command);
    return await prompt(bridge, session, sendMessage.text, commandId);
  }
  if (command.archiveThread !== undefined || command.deleteThread !== undefined) return;
  const session = bridge.sessions.of(threadId);
  if (session === undefined) {
    throw RpcError.internal("the thread's session is not open in the editor");
  }
  if (useTools !== undefined) return answerAll(bridge, session, commandId, useTools, true);
  if (denyTools !== undefined) return answerAll(bridge, session, commandId, denyTools, false);
  if (command.cancelCompletion !== undefined) return cancel(bridge, session, command);
  throw RpcError.internal("agents of this protocol have no checkpoints");
}

/** The editor may open it again: until then the command stays where it is. [agents 4d] */
async function whenOpen(bridge: Bridge, { threadId, commandId }: Command): Promise<Session> {
  bridge.options.publish({ threadId, commandWaiting: { commandId } });
  return await bridge.sessions.whenOpen(threadId);
}

/** A prompt waits for the end of the turn that runs. [agents 4b] */
function prompt(bridge: Bridge, session: Session, words: string, commandId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = session.enqueue({
      start: () => {
        startTurn(bridge, session, words, commandId);
        resolve();
      },
      drop: (reason) => reject(new Error(reason)),
    });
    if (!started) session.reporter.waiting(commandId);
  });
}

function startTurn(bridge: Bridge, session: Session, words: string, commandId: string): void {
  const content = { type: "text", text: words };
  session.isOwnTurn = true;
  session.reporter.prompted(words, commandId);
  if (session.isEditors) {
    const update = { sessionUpdate: "user_message_chunk", content };
    const params = { sessionId: session.id, update };
    bridge.options.toEditor(lineOf({ method: Method.Update, params }));
  }
  bridge.ask(Method.Prompt, { sessionId: session.id, prompt: [content] }, (heard) => {
    session.isOwnTurn = false;
    // Of a bridge that ended this has been told.
    if (bridge.ended === undefined) tellEnd(session, heard);
    session.next();
  });
}

/** All or none. */
function answerAll(
  bridge: Bridge,
  session: Session,
  commandId: string,
  request: {
    readonly toolUseIds: readonly string[];
    readonly optionId: string;
    readonly subscriberId?: string | undefined;
  },
  allowed: boolean,
): void {
  const questions = bridge.questions.of(session);
  const answers = request.toolUseIds.map((toolUseId): readonly [Question, string | undefined] => {
    const question = questions.find((one) => one.toolUseId === toolUseId);
    if (question === undefined) {
      throw RpcError.internal(`somebody has answered for the tool ${toolUseId} already`);
    }
    return [question, optionFor(question, allowed, request.optionId)];
  });
  const { subscriberId } = request;
  for (const [question, optionId] of answers) {
    const answer = { allowed, optionId: optionId ?? "" };
    session.reporter.permissionResolved(question.toolUseId, answer, { subscriberId, commandId });
    bridge.questions.answer(question, optionId);
  }
}

/** What was asked meanwhile is over too: the agent waits for those answers. */
function cancel(bridge: Bridge, session: Session, { commandId, cancelCompletion }: Command): void {
  if (!session.isRunning) throw RpcError.internal("nothing runs in this thread");
  bridge.options.toAgent(lineOf({ method: Method.Cancel, params: { sessionId: session.id } }));
  const device = { subscriberId: cancelCompletion?.subscriberId, commandId };
  for (const question of bridge.questions.of(session)) {
    const answer = { allowed: false, optionId: "" };
    session.reporter.permissionResolved(question.toolUseId, answer, device);
    bridge.questions.answer(question, undefined);
  }
}

/** A session that the editor does not know, until it loads it. */
async function create(
  bridge: Bridge,
  { threadId, commandId, createThread }: Command,
): Promise<void> {
  if (bridge.sessions.agent === undefined) {
    throw RpcError.internal("the editor has not started the agent yet");
  }
  const cwd = createThread?.cwd || bridge.sessions.cwd;
  if (cwd === "") throw RpcError.internal("name the folder that it works in");
  const { result, error } = await new Promise<Heard>((resolve) => {
    bridge.ask(Method.NewSession, { cwd, mcpServers: [] }, (heard) => {
      // Before the next line: the session's first updates may be in that.
      const id = text(heard.result?.sessionId);
      if (id !== "") {
        const thread = { threadId, hasTitle: (createThread?.title ?? "") !== "" };
        bridge.sessions.open(id, { cwd, result: heard.result ?? {}, isEditors: false, thread });
      }
      resolve(heard);
    });
  });
  const session = bridge.sessions.get(text(result?.sessionId));
  if (session === undefined) {
    throw RpcError.internal(
      `the agent opened no session: ${text(error?.message) || "it told no reason"}`,
    );
  }
  const words = createThread?.text ?? "";
  if (words !== "") await prompt(bridge, session, words, commandId);
}
