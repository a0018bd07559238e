/** A scripted editor: it starts an agent, through the bridge or without it, and writes down all. */
import { client, type ClientConnection, methods, ndJsonStream } from "@agentclientprotocol/sdk";
import type {
  InitializeResponse,
  RequestPermissionResponse,
  SessionUpdate,
} from "@agentclientprotocol/sdk";

export const TEST_AGENT = [
  Deno.execPath(),
  "run",
  "-A",
  new URL("agent.ts", import.meta.url).pathname,
] as const;

/** How a {@link TestEditor} starts. */
export interface TestEditorOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of `agent`, before the agent's command. */
  readonly flags?: readonly string[];
  readonly agent?: readonly string[];
}

export class TestEditor implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly connection: ClientConnection;
  readonly updates: SessionUpdate[] = [];
  /** Questions that nobody has answered here. */
  readonly questions: {
    readonly toolCallId: string;
    readonly signal: AbortSignal;
    readonly answer: (optionId: string) => void;
  }[] = [];
  /** Everything that came from the agent's side, byte by byte. */
  #bytes = "";
  #errors = "";
  readonly #reading: Promise<void>;

  constructor({ env = {}, flags = [], agent = TEST_AGENT }: TestEditorOptions = {}) {
    const main = new URL("../../../main.ts", import.meta.url).pathname;
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", main, "agent", ...flags, "--", ...agent],
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [one, two] = this.child.stdout.tee();
    this.#reading = Promise.all([
      this.#read(two, (text) => this.#bytes += text),
      this.#read(this.child.stderr, (text) => this.#errors += text),
    ]).then(() => {});
    this.connection = client({ name: "editor" })
      .onNotification(methods.client.session.update, ({ params }) => {
        this.updates.push(params.update);
      })
      .onRequest(methods.client.session.requestPermission, ({ params, signal }) => {
        const { promise, resolve } = Promise.withResolvers<RequestPermissionResponse>();
        const { toolCallId } = params.toolCall;
        const answer = (optionId: string) =>
          resolve({ outcome: { outcome: "selected", optionId } });
        this.questions.push({ toolCallId, signal, answer });
        return promise;
      })
      .connect(ndJsonStream(this.child.stdin, one));
  }

  /** What the bridge wrote to its standard output, and to its standard error. */
  get output(): string {
    return this.#bytes;
  }
  get errors(): string {
    return this.#errors;
  }

  /** The bridge's exit code, once it has ended and all that it wrote is here. */
  async ended(): Promise<number> {
    const [{ code }] = await Promise.all([this.child.status, this.#reading]);
    return code;
  }

  /** Initializes, and opens a session. @returns its id */
  async open(cwd = "/tmp"): Promise<string> {
    await this.initialize();
    const { agent } = this.connection;
    return (await agent.request(methods.agent.session.new, { cwd, mcpServers: [] })).sessionId;
  }

  async initialize() {
    const clientInfo = { name: "editor", version: "1" };
    const params = { protocolVersion: 1, clientCapabilities: {}, clientInfo };
    const { agent } = this.connection;
    return await agent.request<InitializeResponse>(methods.agent.initialize, params);
  }

  /** @returns why the turn ended; a test that fails before it asks is not told twice */
  prompt(sessionId: string, ...lines: readonly string[]): Promise<string> {
    const answer = this.connection.agent.request(methods.agent.session.prompt, {
      sessionId,
      prompt: [{ type: "text", text: lines.join("\n") }],
    }).then(({ stopReason }) => stopReason);
    answer.catch(() => {});
    return answer;
  }

  async cancel(sessionId: string): Promise<void> {
    await this.connection.agent.notify(methods.agent.session.cancel, { sessionId });
  }

  /** The agent's words so far. */
  get said(): string {
    return this.updates.map((one) =>
      one.sessionUpdate === "agent_message_chunk" && one.content.type === "text"
        ? one.content.text
        : ""
    ).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    await this.child.stdin.close().catch(() => {});
    // One that was killed, or has ended, is done already.
    await this.child.status;
    await this.#reading;
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
  }
}
