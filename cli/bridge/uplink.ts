/** A bridge's way to the server: an outbox on the disk, and a connection whenever there is one. [agents R2] */
import {
  type AgentEventInit,
  AgentHost,
  type ClientOptions,
  CollabClient,
} from "../../client/mod.ts";
import { FileOutbox } from "../../client/agent_outbox_file.ts";
import { chainText } from "../../client/errors.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { type HostFolder, takeHostFolder } from "./host_folder.ts";

/** What an {@link Uplink} is made with. */
export interface UplinkOptions {
  /** Of this user at this server. */
  readonly folder: string;
  readonly name: string;
  readonly client: ClientOptions;
  readonly onCommand: (command: MessageTypes["AgentCommand"]) => Promise<void>;
  readonly log: (text: string) => void;
}

/** Milliseconds before a first connection is tried again, at first and at most. */
const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 60_000;
/** Milliseconds for what is left to say when the agent has ended; the rest waits on the disk. */
const FAREWELL = 2_000;

export class Uplink implements AsyncDisposable {
  readonly #options: UplinkOptions;
  readonly #folder: HostFolder;
  readonly #outbox: FileOutbox;
  readonly #host: AgentHost;
  readonly #client: CollabClient;
  /** How many events of a thread could not be kept. */
  readonly #lost = new Map<string, bigint>();
  readonly #ended = Promise.withResolvers<void>();
  #isEnded = false;
  #isConnecting = false;
  #complaint: string | undefined;

  constructor(options: UplinkOptions) {
    const { folder, name, client, onCommand, log } = options;
    this.#options = options;
    this.#folder = takeHostFolder(`${folder}/hosts`);
    this.#outbox = FileOutbox.open(`${this.#folder.path}/outbox`);
    if (this.#outbox.damage !== undefined) log(`The outbox was damaged: ${this.#outbox.damage}`);
    this.#host = new AgentHost({
      hostId: this.#folder.hostId,
      name,
      outbox: this.#outbox,
      onCommand,
      onRefused: ({ eventId }, reason) => log(`The server refused the event ${eventId}: ${reason}`),
      onLost: (count) => log(`Gave up ${count} events that the server has not taken: no room`),
    });
    this.#client = new CollabClient(client);
    this.#client.onStatus((status) => {
      const { name } = status;
      if (name === "Connected") void this.#attach();
      else if (name === "ConnectionLost") {
        log("The server is away: what happens is kept, and told when it is back");
        this.#host.detach();
      } else if (name === "ReconnectionError") this.#complain(status.error);
      else if (name === "ConnectionError" || name === "SignedOut") void this.#connect();
    });
    void this.#connect();
  }

  /** Tells the server, now or later. What cannot be kept is told as lost, once anything can. [agents 4e] */
  readonly publish = (event: AgentEventInit): void => {
    const { threadId = "" } = event;
    const count = this.#lost.get(threadId) ?? 0n;
    try {
      if (count > 0n) this.#host.publish({ threadId, eventsLost: { count } });
      this.#lost.delete(threadId);
      this.#host.publish(event);
    } catch (error) {
      this.#lost.set(threadId, (this.#lost.get(threadId) ?? 0n) + 1n);
      this.#options.log(`An event is lost: ${chainText(error)}`);
    }
  };

  readonly run = (threadId: string): void => this.#host.run(threadId);

  /** Says what is left to say, if the server is there. */
  async [Symbol.asyncDispose](): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#client.status.name === "Connected") {
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, FAREWELL));
      await Promise.race([this.#host.settled(), late]);
      clearTimeout(timer);
    }
    this.#isEnded = true;
    this.#ended.resolve();
    this.#host.detach();
    await this.#client[Symbol.asyncDispose]();
    this.#outbox[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }

  /** Until a connection is there; what comes of a loss the client does by itself, unless it gives up. */
  async #connect(): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    for (let pause = FIRST_PAUSE; !this.#isEnded; pause = Math.min(pause * 2, LAST_PAUSE)) {
      try {
        await this.#client.connection.connect();
        break;
      } catch (error) {
        if (this.#isEnded) break;
        this.#complain(error);
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      const rest = new Promise<void>((resolve) => timer = setTimeout(resolve, pause));
      await Promise.race([rest, this.#ended.promise]);
      clearTimeout(timer);
    }
    this.#isConnecting = false;
  }

  /** Says why there is no connection, once for each reason. */
  #complain(error: unknown): void {
    const complaint = `No connection to the server: ${chainText(error)}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#options.log(complaint);
  }

  async #attach(): Promise<void> {
    try {
      await this.#host.attach(this.#client);
      this.#complaint = undefined;
      this.#options.log("Connected to the server");
    } catch (error) {
      if (this.#isEnded) return;
      this.#options.log(`The server did not take this host: ${chainText(error)}`);
      // A connection that is no host's is of no use.
      if (this.#client.status.name === "Connected") void this.#client.reconnect().catch(() => {});
    }
  }
}
