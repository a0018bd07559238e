// deno-lint-ignore-file no-console
/**
 * Says something to the agent of a thread, allows whatever it asks for, and prints its words.
 *
 *     deno run -A examples/prompt_an_agent.ts http://127.0.0.1:8080 <user id> <token> <thread id> <message>
 */
import { AgentSubscription, CollabClient, nodeTransport } from "@parley/client/node";
import process from "node:process";

const [serverUrl, userId, token, threadId, text] = process.argv.slice(2);
if (!serverUrl || !userId || !token || !threadId || !text) {
  console.error("Name the server, the user's id, a token, the thread, and what to say");
  process.exit(2);
}

await using client = await CollabClient.connect({
  serverUrl,
  transport: nodeTransport(),
  credentials: { userId: BigInt(userId), token },
});
const { lastSeq } = await client.request("GetAgentThread", { threadId });
// A device that keeps its id and its cursors misses nothing while it is away.
const subscriberId = crypto.randomUUID();
const events = new AgentSubscription({ subscriberId, threadId, cursors: [[threadId, lastSeq]] });
await events.attach(client);
const closed = client.keepOpen({
  rejoin: () => events.attach(client),
  abandon: (reason) => console.error(`No more events: ${reason}`),
  patience: Infinity,
  tries: Infinity,
});

const command = () => ({ threadId, subscriberId, commandId: crypto.randomUUID() });
await client.request("SendAgentMessage", { ...command(), text });
for await (const { messageChunk, toolUseRequested, completionStopped } of events) {
  if (messageChunk !== undefined) process.stdout.write(messageChunk.text);
  if (toolUseRequested !== undefined) {
    const toolUseIds = [toolUseRequested.toolUseId];
    await client.request("UseAgentTools", { ...command(), toolUseIds });
  }
  if (completionStopped !== undefined) break;
}
process.stdout.write("\n");
closed();
await events.end();
