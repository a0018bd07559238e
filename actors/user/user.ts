/** One user: connections, contacts, notifications, and the seat in at most one room. */
import { decode, ProtoError } from "../../proto/mod.ts";
import type { Phase } from "../cell.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import { Lookups } from "../lookups.ts";
import type { Inbound, UserMessage, UserRef } from "../refs/mod.ts";
import { refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { ACK, type Turn } from "../turn.ts";
import type { UserContext } from "./context.ts";
import { Graces } from "./graces.ts";
import { userHandlers, userMessages } from "./handlers.ts";
import { abandonJoin } from "./joining.ts";
import { unnotifyTakenBack } from "./notifications.ts";
import { correct, graceOver, refreshPresence } from "./presence.ts";
import { readUser, restoreUser } from "./rows.ts";
import { UserState } from "./state.ts";

/** What tells of rows that another actor writes. */
const REMEMBERED: ReadonlySet<UserMessage["type"]> = new Set([
  "user.contact_changed",
  "user.notified",
  "user.unnotify",
  "user.notification_answered",
  "user.notification_deleted",
  "user.message_observed",
  "user.notes_observed",
]);

export class User extends Entity implements UserRef {
  readonly kind = "user";
  readonly id: number;
  readonly address: string;
  readonly #state: UserState;
  readonly #graces: Graces;
  readonly #lookups: Lookups;
  /** The user's connections are his whatever becomes of a change, and his contacts are corrected. */
  protected override readonly showsOwn = false;

  constructor(system: ActorSystem, id: number) {
    super(system);
    this.id = id;
    this.address = `/users/${id}`;
    this.#state = new UserState(id);
    this.#graces = new Graces(system, (key) => this.#later((context) => graceOver(context, key)));
    this.#lookups = new Lookups(system);
    system.registry.users.set(id, this);
    this.begin({
      first: "loading",
      load: (signal) => this.#load(signal),
      failed: "forgotten",
      dispose: () => this.#dispose(),
    });
  }

  tell(message: UserMessage, gate: number): void {
    this.enqueue({
      remembers: REMEMBERED.has(message.type),
      run: (turn) => this.#inTurn(turn, (context) => userMessages(context, message)),
      refused: () => this.#unheard(message),
    }, gate);
  }

  /** Somebody waits for what comes of a message that this user does not take any more. */
  #unheard(message: UserMessage): void {
    switch (message.type) {
      case "user.connected":
        message.connection.drop("user_removed");
        return;
      case "user.left":
        message.connection.outbox.push(ACK, message.requestId, 0);
        return;
      case "user.call_asked":
        this.system.registry.rooms.get(message.roomId)?.tell({
          type: "room.call_refused",
          ticket: message.ticket,
          reason: `there is no user ${this.id}`,
        }, 0);
    }
  }

  receive(inbound: Inbound): void {
    const other = inbound.route.message === "RequestContact" ? askedUser(inbound) : undefined;
    this.#lookups.inOrder(
      inbound,
      other === undefined ? [] : [other],
      (kept, exists) => this.#handle(kept, exists),
    );
  }

  #handle(inbound: Inbound, exists: (id: number) => boolean): void {
    const kept = this.keep(inbound);
    const handler = userHandlers[kept.route.message];
    this.enqueue({
      run: (turn) =>
        decoding(kept, () => handler?.({ ...this.#context(turn), inbound: kept, exists })),
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  #inTurn(turn: Turn, handle: (context: UserContext) => void): void {
    handle(this.#context(turn));
    turn.then(() => this.#restIfIdle());
  }

  #later(handle: (context: UserContext) => void): void {
    this.enqueue({ run: (turn) => this.#inTurn(turn, handle) });
  }

  #context(turn: Turn): UserContext {
    return {
      system: this.system,
      turn,
      user: this.#state,
      ref: this,
      graces: this.#graces,
      later: (handle) => this.#later(handle),
      handleAgain: (inbound) => this.#handle(inbound, () => false),
    };
  }

  #restIfIdle(): void {
    if (!this.#isIdle()) return;
    this.system.clock.setImmediate(() => {
      if (this.#isIdle() && this.ready) this.rest();
    });
  }

  /** No connection, no seat, no grace. */
  #isIdle(): boolean {
    const { connections, seat } = this.#state;
    return connections.size === 0 && seat === undefined && this.#graces.size === 0;
  }

  /** Rejects when there is no such account. */
  async #load(signal: AbortSignal): Promise<boolean> {
    const { store, journal, directory } = this.system;
    if (journal.busy) await journal.settled();
    const [[account], rows] = await Promise.all([
      directory.find([this.id]),
      readUser(store, this.id),
    ]);
    if (signal.aborted) return false;
    if (account === undefined) throw new Error(`Cannot load ${this.address}: no such account`);
    abandonJoin(this.system, this.#state);
    this.#state.isNew = !account.connectedOnce;
    const { lost, twice } = restoreUser(this.#state, rows);
    if (this.generation > 1 && lost.length > 0) {
      this.enqueue({ run: (turn) => correct(this.#context(turn), lost) });
    }
    this.enqueue({
      run: (turn) => {
        for (const { id } of twice) turn.remove("notifications", { id });
        unnotifyTakenBack(this.#context(turn));
      },
    });
    return true;
  }

  override entered(phase: Phase): void {
    super.entered(phase);
    if (phase === "live") refreshPresence(this.system, this.#state);
  }

  #dispose(): void {
    const { registry, openNotes, presence } = this.system;
    for (const key of this.#graces.stop()) {
      // Nobody else would tell them.
      for (const channelId of [...openNotes.of(key)]) {
        registry.notes.get(channelId)?.tell({ type: "notes.leave", key }, 0);
      }
    }
    if (registry.users.get(this.id) === this) {
      registry.users.delete(this.id);
      presence.set(this.id, { online: false, busy: false });
    }
    for (const connection of this.#state.connections.values()) connection.drop("error");
  }
}

function askedUser(inbound: Inbound): number | undefined {
  try {
    return Number(decode("RequestContact", inbound.payload).responderId);
  } catch (error) {
    if (error instanceof ProtoError) return undefined;
    throw error;
  }
}
