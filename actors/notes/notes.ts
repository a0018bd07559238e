/** The notes of one channel: who has them open, and the one order of what they write. [channels 8] */
import { RpcError } from "../../rpc/errors.ts";
import { keyOwner } from "../../rpc/peer_id.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import type { ConnectionRef, Inbound, NotesMessage, NotesRef } from "../refs/mod.ts";
import { refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import { type NotesContext, tellTree } from "./context.ts";
import { notesHandlers, notesMessages, notOpen } from "./handlers.ts";
import { loadNotes } from "./rows.ts";
import { NotesState } from "./state.ts";

/** Whoever is to leave by these leaves, though the database refuses it at first: nobody says it twice. */
const UNREPEATED: ReadonlySet<NotesMessage["type"]> = new Set([
  "notes.clean_up",
  "notes.expel",
  "notes.account_removed",
]);

export class Notes extends Entity implements NotesRef {
  readonly kind = "notes";
  readonly channelId: number;
  readonly address: string;
  #state: NotesState;
  #deleted = false;
  /** What it must still hear: it was out of order. */
  readonly #owed: NotesMessage[] = [];
  /** Whose messages have made changes that may not be stored yet. */
  #unstored: { readonly gate: number; readonly connection: ConnectionRef }[] = [];

  constructor(system: ActorSystem, channelId: number) {
    super(system);
    this.channelId = channelId;
    this.address = `/channels/${channelId}/notes`;
    this.#state = new NotesState(channelId);
    system.registry.notes.set(channelId, this);
    this.begin({
      first: "loading",
      load: (signal) => this.#load(signal),
      failed: "out of order",
      dispose: () => this.#dispose(),
    });
  }

  tell(message: NotesMessage, gate: number): void {
    if (message.type === "notes.channel_deleted") {
      this.#end(gate);
      return;
    }
    this.enqueue({
      run: (turn) => {
        this.#inTurn(turn, (context) => notesMessages(context, message));
        if (UNREPEATED.has(message.type)) {
          turn.then((own) =>
            this.system.journal.afterCommit(own, (stored) => {
              // It may have come to rest meanwhile.
              if (!stored) this.system.notes(this.channelId).tell(message, 0);
            })
          );
        }
      },
      refused: () => this.#unheard(message),
    }, gate);
  }

  receive(inbound: Inbound, gate: number): void {
    const kept = this.keep(inbound);
    this.enqueue({
      run: (turn) =>
        decoding(
          kept,
          () =>
            this.#inTurn(
              turn,
              (context) => {
                notesHandlers[kept.route.message]?.({ ...context, inbound: kept });
                if (kept.route.message === "UpdateChannelBuffer" && turn.writes.length > 0) {
                  turn.then((own) => this.#wrote(own, kept.connection));
                }
              },
            ),
        ),
      refused: (error) => this.#refuse(inbound, error),
    }, gate);
  }

  #refuse(inbound: Inbound, error: RpcError): void {
    if (this.#deleted) refuse(this.system, inbound, gone(inbound));
    else if (inbound.route.message !== "UpdateChannelBuffer") refuse(this.system, inbound, error);
    // Nothing tells its client that an operation is lost: when it comes back, it brings it again.
    else inbound.connection.drop("error");
  }

  #inTurn(turn: Turn, handle: (context: NotesContext) => void): void {
    handle({ system: this.system, turn, notes: this.#state });
    turn.then(() => this.#restIfIdle());
  }

  /** Somebody waits for an answer, or nobody says it twice. */
  #unheard(message: NotesMessage): void {
    if (message.type === "notes.rejoin") message.answer(undefined, 0);
    else if (this.phase === "failed") this.#owed.push(message);
  }

  /** Somebody's message has made a change that is not stored yet. */
  #wrote(gate: number, connection: ConnectionRef): void {
    const { durable } = this.system.journal;
    this.#unstored = this.#unstored.filter((one) => one.gate > durable);
    this.#unstored.push({ gate, connection });
  }

  /** At once, whatever waits: the rows are removed by the tree, whose change is `gate`. */
  #end(gate: number): void {
    const { journal } = this.system;
    // Should the database refuse that, the notes are brought back.
    if (gate > journal.durable) journal.heard(gate, this.address);
    // Those that are brought back know nobody who only wrote.
    for (const one of this.#unstored.splice(0)) {
      journal.afterCommit(one.gate, (stored) => {
        if (!stored) one.connection.drop("error");
      });
    }
    this.#deleted = true;
    this.finish();
  }

  #restIfIdle(): void {
    if (this.#state.collaborators.size > 0) return;
    this.system.clock.setImmediate(() => {
      if (this.#state.collaborators.size === 0 && this.ready) this.rest();
    });
  }

  /** There may be none yet. */
  async #load(signal: AbortSignal): Promise<boolean> {
    const { journal, store } = this.system;
    if (journal.busy) await journal.settled();
    const state = await loadNotes(store, this.channelId);
    if (signal.aborted) return false;
    this.#withdraw();
    this.#state = state;
    for (const { key } of state.collaborators.values()) {
      this.system.openNotes.add(key, this.channelId);
    }
    this.enqueue({ run: (turn) => this.#inTurn(turn, (context) => this.#arrived(context)) });
    for (const message of this.#owed.splice(0)) this.tell(message, 0);
    return true;
  }

  /** The tree may have heard of what was taken back, and of lost connections nobody may know. */
  #arrived(context: NotesContext): void {
    const { system, turn, notes } = context;
    if (notes.stored) tellTree(context, { announce: false });
    for (const { userId, key } of notes.collaborators.values()) {
      if (keyOwner(key) !== system.epoch || system.registry.connections.has(key)) continue;
      turn.tellUser(userId, { type: "user.notes_open", key });
    }
  }

  #withdraw(): void {
    for (const { key } of this.#state.collaborators.values()) {
      this.system.openNotes.remove(key, this.channelId);
    }
  }

  override refusedByStore(): void {
    for (const { gate, connection } of this.#unstored.splice(0)) {
      // Those who wait for an answer hear an error; who only wrote would never know.
      if (this.system.journal.refused(gate)) connection.drop("error");
    }
    super.refusedByStore();
  }

  #dispose(): void {
    this.#withdraw();
    const { registry } = this.system;
    if (registry.notes.get(this.channelId) === this) registry.notes.delete(this.channelId);
  }
}

/** The channel was deleted before its notes came to the message. [channels 18] */
function gone({ route }: Inbound): RpcError {
  return route.message === "LeaveChannelBuffer" ? notOpen() : RpcError.coded("NoSuchChannel");
}
