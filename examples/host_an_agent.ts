// deno-lint-ignore-file no-console
/**
 * An agent that repeats what it is told, as a host of one thread; it ends behind its first turn.
 *
 *     deno run -A examples/host_an_agent.ts http://127.0.0.1:8080 <user id> <token> <folder>
 */
import {
  AgentHost,
  AgentRoleEnum,
  CollabClient,
  denoTransport,
  FileOutbox,
} from "@parley/client/deno";

const [serverUrl, userId, token, folder] = Deno.args;
if (!serverUrl || !userId || !token || !folder) {
  console.error("Name the server, the user's id, a token, and a folder for the outbox");
  Deno.exit(2);
}

await using client = await CollabClient.connect({
  serverUrl,
  transport: denoTransport,
  credentials: { userId: BigInt(userId), token },
});
const threadId = crypto.randomUUID();
const turn = Promise.withResolvers<void>();

// What is told is kept in the file until the server has it, whatever becomes of this program.
using outbox = FileOutbox.open(`${folder}/outbox`);
const host = new AgentHost({
  hostId: crypto.randomUUID(), // keep it: the server knows a host by it
  name: "parrot",
  outbox,
  onCommand({ commandId, sendMessage }) {
    // What is thrown is told to the device that sent the command.
    if (sendMessage === undefined) throw new Error("A parrot only talks");
    const { text } = sendMessage;
    const [question, answer] = [crypto.randomUUID(), crypto.randomUUID()];
    host.publish({
      threadId,
      messageAdded: { messageId: question, role: AgentRoleEnum.User, text, commandId },
    });
    for (const word of text.split(/(?<= )/)) {
      host.publish({ threadId, messageChunk: { messageId: answer, text: word } });
    }
    host.publish({ threadId, messageCompleted: { messageId: answer } });
    host.publish({ threadId, completionStopped: { reason: "end_turn" } });
    turn.resolve();
  },
});
host.publish({ threadId, threadCreated: { title: "A parrot", cwd: folder, agent: "parrot" } });
await host.attach(client);
// After a loss it goes on over the next connection.
const closed = client.keepOpen({
  suspend: () => host.detach(),
  rejoin: () => host.attach(client),
  abandon: (reason) => console.error(`No more commands: ${reason}`),
  patience: Infinity,
  tries: Infinity,
});
await host.settled();
console.log(threadId);

await turn.promise;
await host.settled();
closed();
