/** Another device of the user: it reads all threads, and sends commands. */
import { AgentSubscription, type CollabClient } from "../../../client/mod.ts";
import type { MessageTypes } from "../../../proto/mod.ts";
import type { TestServer } from "../server.ts";
import { waitUntil } from "../wait_until.ts";

type AgentEvent = MessageTypes["AgentEvent"];

export class Device implements AsyncDisposable {
  readonly client: CollabClient;
  readonly events: AgentEvent[] = [];
  readonly subscriberId = crypto.randomUUID();
  readonly #subscription = new AgentSubscription({ subscriberId: this.subscriberId });

  private constructor(client: CollabClient) {
    this.client = client;
    client.onStatus(({ name }) => {
      if (name === "Connected") void this.#attach();
    });
    void this.#read();
  }

  static async of(server: TestServer, login: string): Promise<Device> {
    const device = new Device(await server.client(login));
    await device.#attach();
    return device;
  }

  /** The first event for which `pick` has something. */
  async see<T>(what: string, pick: (event: AgentEvent) => T | undefined | false): Promise<T> {
    const found = await waitUntil(() => {
      for (const event of this.events) {
        const value = pick(event);
        if (value !== undefined && value !== false) return { value };
      }
      return undefined;
    }, {
      describe: () =>
        `${what} among ${this.events.map((one) => JSON.stringify(one, bigints)).join("\n")}`,
    });
    return found.value as T;
  }

  /** The thread of the first session. */
  async thread(): Promise<string> {
    return await this.see("a thread", ({ threadCreated, threadId }) => threadCreated && threadId);
  }

  /** Words of the agent, in all threads. */
  get said(): string {
    return this.events.map(({ messageChunk }) =>
      messageChunk?.thought === false ? messageChunk.text : ""
    ).join("");
  }

  command() {
    return { commandId: crypto.randomUUID(), subscriberId: this.subscriberId };
  }

  async send(threadId: string, ...lines: readonly string[]) {
    const text = lines.join("\n");
    return await this.client.request("SendAgentMessage", { threadId, text, ...this.command() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.detach();
    await this.client[Symbol.asyncDispose]();
  }

  async #attach(): Promise<void> {
    // A connection that ends meanwhile is followed by another.
    await this.#subscription.attach(this.client).catch(() => {});
  }

  async #read(): Promise<void> {
    for await (const event of this.#subscription) this.events.push(event);
  }
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
