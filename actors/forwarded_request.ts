/**
 * A request of one client that waits for the answer of another one. It belongs to no mailbox: the
 * answer is relayed the moment it arrives. [projects 8.1] [projects 8.4] [projects 15.2]
 */
import { messageInfo } from "../proto/mod.ts";
import { ErrorCode } from "../rpc/errors.ts";
import { errorField, type Outbox, type Pending } from "../rpc/outbox.ts";
import type { PeerKey } from "../rpc/peer_id.ts";
import type { Route } from "../rpc/routes.ts";
import type { ConnectionRef } from "./refs/mod.ts";

const ERROR_TAG = messageInfo("Error").tag as number;
const END_STREAM_TAG = messageInfo("EndStream").tag as number;

const CLOSED = "connection was closed";

export class ForwardedRequest implements Pending {
  /** The connection that was asked. */
  readonly target: PeerKey;
  readonly #requester: ConnectionRef;
  readonly #requestId: number;
  readonly #route: Route;
  readonly #answerTags: readonly number[];
  readonly #onSuccess: (() => void) | undefined;
  readonly #ended: () => void;
  #outbox: Outbox | undefined;
  #id = -1;
  #over = false;
  #begun = false;

  /**
   * @param onSuccess runs after an answer that is no error has been passed on
   * @param ended runs when nobody waits any more, whatever the reason
   */
  constructor(
    requester: ConnectionRef,
    requestId: number,
    target: PeerKey,
    route: Route,
    onSuccess?: () => void,
    ended: () => void = () => {},
  ) {
    this.#requester = requester;
    this.#requestId = requestId;
    this.target = target;
    this.#route = route;
    this.#answerTags = route.answerTags;
    this.#onSuccess = onSuccess;
    this.#ended = ended;
    requester.asking.add(this);
  }

  written(outbox: Outbox, id: number): void {
    if (this.#over) outbox.forget(id);
    else {
      this.#outbox = outbox;
      this.#id = id;
    }
  }

  answered(tag: number, original: Uint8Array): boolean {
    if (this.#over) return true;
    this.#begun = true;
    const streaming = this.#route.treatment === "ask host for a stream";
    const expected = this.#answerTags.includes(tag);
    if (expected || tag === ERROR_TAG || (streaming && tag === END_STREAM_TAG)) {
      this.#requester.outbox.forward(original, this.#requestId, -1, 0);
    } else {
      this.#fail(`wrong response type for ${this.#route.message}`);
      return true;
    }
    if (streaming && expected) return false;
    this.#end();
    if (expected) this.#onSuccess?.();
    return true;
  }

  lost(): void {
    if (!this.#over) this.#fail(CLOSED);
  }

  /** Whoever was asked has another connection now: what the old one says is too late. [projects 12.3.1] */
  moved(): void {
    this.giveUp(CLOSED);
  }

  /** The requester is gone: nobody waits any more. */
  cancel(): void {
    if (this.#over) return;
    this.#end();
    this.#forget();
  }

  /** The requester waits no longer: an answer that comes all the same is ignored. */
  giveUp(text: string): void {
    if (this.#over) return;
    this.#fail(text);
    this.#forget();
  }

  /** Whether something of the answer has come: the one who was asked knows the request. */
  get begun(): boolean {
    return this.#begun;
  }

  #forget(): void {
    if (this.#id >= 0) this.#outbox?.forget(this.#id);
  }

  #fail(text: string): void {
    this.#end();
    this.#requester.outbox.push(errorField(ErrorCode.Internal, text), this.#requestId, 0);
  }

  #end(): void {
    this.#over = true;
    this.#requester.asking.delete(this);
    this.#ended();
  }
}
