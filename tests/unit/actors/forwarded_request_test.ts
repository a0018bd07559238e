import { assert, assertEquals } from "@std/assert";
import { ForwardedRequest } from "../../../actors/forwarded_request.ts";
import type { ConnectionRef } from "../../../actors/refs/mod.ts";
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../../proto/mod.ts";
import { message, payloadField } from "../../../rpc/frame.ts";
import { Outbox } from "../../../rpc/outbox.ts";
import { peerKey } from "../../../rpc/peer_id.ts";
import { type Route, routes } from "../../../rpc/routes.ts";
import { FakeSocket } from "../rpc/fake_socket.ts";

function newOutbox(socket: FakeSocket): Outbox {
  return new Outbox({
    socket,
    durability: { durable: 0, refused: () => false, wait: () => {} },
    monitor: { watch: () => {}, pumpLater: () => {} },
    evict: () => {},
    failed: () => {},
  });
}

function tagOf(name: MessageName): number {
  return messageInfo(name).tag as number;
}

const HOST = peerKey(1, 7);

/** A requester with the request id 40, and the one who is asked under the id 0. */
class World {
  readonly requesterSocket = new FakeSocket();
  readonly askedSocket = new FakeSocket();
  readonly asked = newOutbox(this.askedSocket);
  readonly asking = new Set<ForwardedRequest>();
  readonly requester = {
    asking: this.asking,
    outbox: newOutbox(this.requesterSocket),
  } as unknown as ConnectionRef;
  successes = 0;
  readonly request: ForwardedRequest;

  constructor(name: MessageName) {
    const route = routes.find((one) => one.message === name) as Route;
    this.request = new ForwardedRequest(this.requester, 40, HOST, route, () => this.successes++);
    const original = message(9, -1, -1, 0, payloadField(tagOf(name), encode("Ping", {})));
    this.asked.forward(original, -1, 1, 2, undefined, this.request);
  }

  /** The asked one answers, as its connection passes it on. */
  answer<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): void {
    const pending = this.asked.pendingFor(0);
    const payload = encode(name, value);
    const original = message(3, 0, -1, 0, payloadField(tagOf(name), payload)).slice();
    if (pending?.answered(tagOf(name), original, payload)) this.asked.forget(0);
  }

  /** What the requester heard. */
  get heard(): [number | undefined, string][] {
    return this.requesterSocket.messages.map(({ respondingTo, name }) => [respondingTo, name]);
  }

  get isOver(): boolean {
    return this.asking.size === 0 && this.asked.pendingCount === 0;
  }
}

Deno.test("[projects 8.1.4] an answer of the right type is relayed under the requester's own id", () => {
  const world = new World("SaveBuffer");
  assertEquals([world.asking.size, world.asked.pendingCount], [1, 1]);
  world.answer("BufferSaved", { bufferId: 7n });
  assertEquals(world.heard, [[40, "BufferSaved"]]);
  const [answer] = world.requesterSocket.messages;
  assertEquals([answer?.id, answer?.originalSenderId, answer?.value.bufferId], [0, undefined, 7n]);
  assertEquals([world.isOver, world.successes], [true, 1]);
});

Deno.test("[projects 8.1.4] an answer of a wrong type is an Error for the requester", () => {
  const world = new World("SaveBuffer");
  world.answer("Ack", {});
  const [error] = world.requesterSocket.messages;
  assertEquals([error?.respondingTo, error?.name, error?.value.code], [40, "Error", 0]);
  assert(String(error?.value.message).includes("wrong response type"));
  assertEquals([world.isOver, world.successes], [true, 0]);
});

Deno.test("[projects 8.1.5] an Error passes with code, text and tags, and is no success", () => {
  const world = new World("OpenBufferByPath");
  const error = { code: 4_711, message: "two\nlines", tags: ["a=b", "loose"] };
  world.answer("Error", error);
  assertEquals(world.requesterSocket.messages[0]?.value, error);
  assertEquals([world.isOver, world.successes], [true, 0]);
});

Deno.test("[projects 8.1.6] the loss of who was asked fails the request at once, and only once", () => {
  const world = new World("SaveBuffer");
  world.asked.close();
  world.asked.close();
  world.request.lost();
  assertEquals(world.heard, [[40, "Error"]]);
  assertEquals(world.isOver, true);
});

Deno.test("[projects 8.1.7] an answer for a requester who has gone is dropped", () => {
  const world = new World("SaveBuffer");
  world.request.cancel();
  world.request.cancel();
  assertEquals(world.isOver, true);
  world.answer("BufferSaved", {});
  world.asked.close();
  assertEquals(world.heard, []);
});

Deno.test("[projects 8.1.7] a requester who goes before the request is written leaves nothing pending", () => {
  const asking = new Set<ForwardedRequest>();
  const requester = { asking, outbox: newOutbox(new FakeSocket()) } as unknown as ConnectionRef;
  const route = routes.find(({ message }) => message === "SaveBuffer") as Route;
  const request = new ForwardedRequest(requester, 1, HOST, route);
  const socket = new FakeSocket();
  let durable = 0;
  let waiting: Outbox | undefined;
  const outbox = new Outbox({
    socket,
    durability: {
      get durable() {
        return durable;
      },
      refused: () => false,
      wait: (one) => (waiting = one),
    },
    monitor: { watch: () => {}, pumpLater: () => {} },
    evict: () => {},
    failed: () => {},
  });
  const ping = payloadField(tagOf("Ping"), new Uint8Array(0));
  outbox.push(ping, -1, 1);
  outbox.forward(message(0, -1, -1, 0, ping), -1, 1, 1, undefined, request);
  request.cancel();
  durable = 1;
  waiting?.pump();
  assertEquals([socket.sent.length, outbox.pendingCount], [2, 0]);
});

Deno.test("[projects 8.4] a stream's items are relayed in order up to its end", () => {
  const world = new World("SearchCommits");
  for (let item = 0; item < 3; item++) world.answer("SearchCommitsResponse", {});
  assertEquals([world.isOver, world.successes], [false, 0]);
  world.answer("EndStream", {});
  world.answer("SearchCommitsResponse", {});
  assertEquals(world.heard, [
    [40, "SearchCommitsResponse"],
    [40, "SearchCommitsResponse"],
    [40, "SearchCommitsResponse"],
    [40, "EndStream"],
  ]);
  assertEquals(world.isOver, true);
});

Deno.test("[projects 8.4a] an Error ends a stream, no EndStream follows", () => {
  const world = new World("GetInitialGraphData");
  world.answer("GetInitialGraphDataResponse", {});
  world.answer("Error", { message: "gone" });
  world.answer("EndStream", {});
  assertEquals(world.heard.map(([, name]) => name), ["GetInitialGraphDataResponse", "Error"]);
});

Deno.test("[projects 8.4b] the loss of the host in mid-stream is an Error; that of the guest leaves nothing", () => {
  const lost = new World("SearchCommits");
  lost.answer("SearchCommitsResponse", {});
  lost.asked.close();
  assertEquals(lost.heard.map(([, name]) => name), ["SearchCommitsResponse", "Error"]);
  const gone = new World("SearchCommits");
  gone.answer("SearchCommitsResponse", {});
  gone.request.cancel();
  assertEquals(gone.isOver, true);
});

Deno.test("[projects 8.4] an EndStream is no answer to a request for one answer", () => {
  const world = new World("SaveBuffer");
  world.answer("EndStream", {});
  assertEquals(world.heard, [[40, "Error"]]);
});

Deno.test("[projects 9.6] a search of either year has its answer", () => {
  for (const name of ["FindSearchCandidatesResponse", "Ack"] as const) {
    const world = new World("FindSearchCandidates");
    world.answer(name, {});
    assertEquals(world.heard, [[40, name]]);
  }
});
