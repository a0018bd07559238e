/** The notes of a channel, opened: a text that its members edit at once. [channels 8] */
import type {
  ChannelBufferVersion,
  Collaborator,
  Init,
  JoinChannelBufferResponse,
  Operation,
  RejoinedChannelBuffer,
} from "../proto/mod.ts";
import { Buffer } from "./buffer.ts";
import type { CollabClient } from "./collab_client.ts";
import { Condition } from "./condition.ts";
import type { EntitySubscription } from "./dispatcher.ts";
import { chunks, toWireOperation } from "./operations.ts";

/** Operations that one message has after a reconnect. [channels 8.4] */
const MAX_OPERATIONS = 100;

/** How notes are opened. */
export interface NotesOptions {
  /** Whether the user's role in the channel lets him read only. [channels 8.11] */
  readonly isReadOnly?: boolean;
}

/**
 * Notes that this client has open. What is edited without a connection goes out when there is one
 * again, within 30 s; after that they are closed. [channels 8.6] [transport 3.10.4]
 */
export class ChannelNotes {
  readonly client: CollabClient;
  readonly channelId: bigint;
  /** The number that this client's edits carry; it stays through reconnects. */
  readonly replicaId: number;
  /** Which history of the notes this is. [channels 8.2] */
  readonly epoch: bigint;
  /** The text. What is edited in it is sent. */
  readonly buffer: Buffer;
  /** Resolves with the reason when they are closed: left, or taken away. */
  readonly closed: Promise<string>;
  readonly #bufferId: bigint;
  readonly #closed = Promise.withResolvers<string>();
  readonly #state = new Condition();
  readonly #stops: (() => void)[];
  #collaborators: readonly Collaborator[];
  #isOnline = true;
  #hasLeft = false;
  #endReason: string | undefined;

  private constructor(
    client: CollabClient,
    channelId: bigint,
    joined: JoinChannelBufferResponse,
    subscription: EntitySubscription,
    { isReadOnly = false }: NotesOptions,
  ) {
    const { bufferId, replicaId, baseText, operations, epoch, collaborators } = joined;
    this.client = client;
    this.channelId = channelId;
    this.replicaId = replicaId;
    this.epoch = epoch;
    this.closed = this.#closed.promise;
    this.#bufferId = bufferId;
    this.#collaborators = collaborators;
    this.buffer = new Buffer({
      id: bufferId,
      replicaId,
      baseText,
      file: undefined,
      lineEnding: 0,
    });
    this.buffer.apply(operations);
    this.buffer.isReadOnly = isReadOnly;
    this.#stops = [
      () => subscription[Symbol.dispose](),
      this.buffer.edited.add((operation) => this.#send([toWireOperation(operation)])),
      this.buffer.selected.add((operation) => this.#send([operation])),
      client.dispatcher.observe((name, message) => this.#observe(name, message)),
      client.keepOpen({
        suspend: () => this.#isOnline = false,
        rejoin: () => this.#rejoin(),
        abandon: (reason) => this.#close(reason),
      }),
    ];
    subscription.attach({
      messages: {
        UpdateChannelBuffer: ({ operations }) => this.buffer.apply(operations),
        UpdateChannelBufferCollaborators: ({ collaborators }) => this.#take(collaborators),
      },
    });
  }

  /**
   * Opens the notes of a channel.
   *
   * @throws {RequestError} there is no such channel, or the user has no role in it.
   */
  static async open(
    client: CollabClient,
    channelId: bigint,
    options: NotesOptions = {},
  ): Promise<ChannelNotes> {
    const subscription = client.subscribe("channel", channelId);
    try {
      const joined = await client.request("JoinChannelBuffer", { channelId });
      return new ChannelNotes(client, channelId, joined, subscription, options);
    } catch (error) {
      subscription[Symbol.dispose]();
      throw error;
    }
  }

  /** The text, with `\n` at the ends of lines. */
  get text(): string {
    return this.buffer.text;
  }

  /** Who has the notes open, this client among them. */
  get collaborators(): readonly Collaborator[] {
    return this.#collaborators;
  }

  /** Why they are closed; undefined while they are open. */
  get endReason(): string | undefined {
    return this.#endReason;
  }

  /** Whether what is edited now goes out at once. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Resolves once those who have the notes open are as `test` wants it. */
  async until(test: (collaborators: readonly Collaborator[]) => boolean): Promise<void> {
    await this.#state.until(() => test(this.#collaborators));
  }

  /** Tells the server that the user has seen all that is here. [channels 8.9] */
  acknowledge(): void {
    if (!this.#isOnline || this.#endReason !== undefined) return;
    this.client.send("AckBufferOperation", {
      bufferId: this.#bufferId,
      epoch: this.epoch,
      version: this.buffer.version,
    });
  }

  /** Closes the notes. */
  async leave(): Promise<void> {
    if (this.#endReason !== undefined) return;
    const { isOnline, channelId } = this;
    this.#hasLeft = true;
    this.#close("left");
    // Otherwise the server takes the place away 30 s after the loss.
    if (isOnline) await this.client.request("LeaveChannelBuffer", { channelId });
  }

  #send(operations: readonly Init<Operation>[]): void {
    if (!this.#isOnline || this.#endReason !== undefined) return;
    this.client.send("UpdateChannelBuffer", { channelId: this.channelId, operations });
  }

  #take(collaborators: readonly Collaborator[]): void {
    const present = new Set(collaborators.map(({ replicaId }) => replicaId));
    for (const { replicaId } of this.#collaborators) {
      if (!present.has(replicaId)) this.buffer.dropSelections(replicaId);
    }
    this.#collaborators = collaborators;
    this.#state.changed();
  }

  /** A channel that the user does not see any more has no notes for him. [channels 6.2] */
  #observe(name: string, message: unknown): void {
    if (name !== "UpdateChannels") return;
    const { deleteChannels, channels } = message as {
      readonly deleteChannels: readonly bigint[];
      readonly channels: readonly { readonly id: bigint }[];
    };
    if (!deleteChannels.includes(this.channelId)) return;
    if (channels.some(({ id }) => id === this.channelId)) return;
    this.#close("the channel is gone, or not for this user any more");
  }

  /** Takes the place again; edits are held back until then, and go out behind it. [channels 8.6] */
  async #rejoin(): Promise<void> {
    const known: Init<ChannelBufferVersion> = {
      channelId: this.channelId,
      epoch: this.epoch,
      version: this.buffer.version,
    };
    const { buffers } = await this.client.request("RejoinChannelBuffers", { buffers: [known] });
    const rejoined = buffers.find(({ channelId }) => channelId === this.channelId);
    if (this.#endReason !== undefined) {
      // Left meanwhile: the place that was taken again is given up.
      if (rejoined === undefined || !this.#hasLeft) return;
      await this.client.request("LeaveChannelBuffer", { channelId: this.channelId });
    } else if (rejoined === undefined) this.#close("the server has given the place away");
    else this.#rejoined(rejoined);
  }

  #rejoined({ version, operations, collaborators }: RejoinedChannelBuffer): void {
    this.buffer.apply(operations);
    this.#take(collaborators);
    this.#isOnline = true;
    const missing = this.buffer.missingOperations(version);
    for (const some of chunks(missing, MAX_OPERATIONS)) this.#send(some);
    this.#send(this.buffer.selectionOperations(this.replicaId));
  }

  #close(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    for (const stop of this.#stops.splice(0)) stop();
    const error = new Error(`The notes of channel ${this.channelId} were closed: ${reason}`);
    this.#state.fail(error);
    this.buffer.end(error);
    this.#closed.resolve(reason);
  }
}
