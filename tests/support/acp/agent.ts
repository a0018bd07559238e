/**
 * An agent of the Agent Client Protocol without a model, for tests: the words of a prompt are what it
 * does, one line after the other.
 *
 *     say <text> | think <text> | tool <id> | wait | plan <entry> | exit <code> | shout
 */
import { agent, type AgentContext, methods, ndJsonStream } from "@agentclientprotocol/sdk";
import type { RequestPermissionResponse } from "@agentclientprotocol/sdk";

const cancelled = new Map<string, () => void>();
let count = 0;

async function act(words: string, sessionId: string, client: AgentContext): Promise<boolean> {
  const [verb = "", rest = ""] = [words.split(" ", 1)[0], words.slice(words.indexOf(" ") + 1)];
  const update = (value: object) =>
    client.notify<unknown>(methods.client.session.update, { sessionId, update: value });
  const content = { type: "text", text: rest };
  switch (verb) {
    case "say":
      await update({ sessionUpdate: "agent_message_chunk", content });
      return true;
    case "think":
      await update({ sessionUpdate: "agent_thought_chunk", content });
      return true;
    case "plan":
      await update({
        sessionUpdate: "plan",
        entries: [{ content: rest, priority: "high", status: "pending" }],
      });
      return true;
    case "tool": {
      const toolCall = { toolCallId: rest, title: `Run ${rest}`, rawInput: { id: rest } };
      await update({ sessionUpdate: "tool_call", ...toolCall, status: "pending" });
      const ask = methods.client.session.requestPermission;
      const { outcome } = await client.request<RequestPermissionResponse>(ask, {
        sessionId,
        toolCall,
        options: [
          { optionId: "always", name: "Always", kind: "allow_always" },
          { optionId: "once", name: "Once", kind: "allow_once" },
          { optionId: "no", name: "No", kind: "reject_once" },
        ],
      });
      if (outcome.outcome === "cancelled") return false;
      const said = { type: "text", text: `answer ${outcome.optionId}` };
      await update({
        sessionUpdate: "tool_call_update",
        toolCallId: rest,
        status: outcome.optionId === "no" ? "failed" : "completed",
        content: [{ type: "content", content: said }],
      });
      return true;
    }
    case "wait":
      await new Promise<void>((resolve) => cancelled.set(sessionId, resolve));
      return false;
    case "shout":
      // Standard output is the protocol's, but agents write there all the same.
      await Deno.stdout.write(new TextEncoder().encode("not a message at all\n"));
      return true;
    case "exit":
      Deno.exit(Number(rest));
  }
  return true;
}

agent({ name: "tester" })
  .onRequest(methods.agent.initialize, ({ params }) => ({
    protocolVersion: params.protocolVersion,
    agentCapabilities: { loadSession: true },
    agentInfo: { name: "tester", version: "1.2.3" },
  }))
  .onRequest(methods.agent.session.new, () => ({
    sessionId: `session-${Deno.pid}-${++count}`,
    modes: { currentModeId: "ask", availableModes: [{ id: "ask", name: "Ask" }] },
  }))
  .onRequest(methods.agent.session.load, async ({ params: { sessionId }, client }) => {
    await act("say from history", sessionId, client);
    return {};
  })
  .onRequest(methods.agent.session.prompt, async ({ params: { sessionId, prompt }, client }) => {
    for (const block of prompt) {
      for (const words of block.type === "text" ? block.text.split("\n") : []) {
        if (!await act(words, sessionId, client)) return { stopReason: "cancelled" };
      }
    }
    return { stopReason: "end_turn" };
  })
  .onNotification(methods.agent.session.cancel, ({ params: { sessionId } }) => {
    cancelled.get(sessionId)?.();
  })
  .connect(ndJsonStream(Deno.stdout.writable, Deno.stdin.readable));

await Deno.stderr.write(new TextEncoder().encode("the agent is here\n"));
