// deno-lint-ignore-file no-console -- what the test reads
/** Ada's second device: watches the threads of her agents. */
import { clientOptions, openSession } from "../../cli/session.ts";
import { AgentSubscription, CollabClient } from "../../client/deno.ts";

const session = await openSession({}, Deno.env.toObject());
const client = await CollabClient.connect(clientOptions(session));
client.onStatus(({ name }) => {
  if (name === "ConnectionLost") console.log("lost");
});
const subscription = new AgentSubscription({ subscriberId: crypto.randomUUID() });
await subscription.attach(client);
for await (const { messageChunk } of subscription) {
  if (messageChunk !== undefined) console.log(`agent: ${messageChunk.text}`);
}
