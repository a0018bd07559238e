import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { ConnectError, ConnectionClosedError, RequestError } from "../../../client/errors.ts";
import { ErrorCode, RpcError } from "../../../rpc/errors.ts";
import { scriptedPair } from "../../support/scripted_server.ts";
import { waitUntil } from "../../support/wait_until.ts";

Deno.test("[transport 2.2.2] the first request has id 0, and its answer responds to 0", async () => {
  const { peer, server } = await scriptedPair();
  const answer = peer.request("Ping", {});
  const request = await server.take(1);
  assertEquals([request.name, request.id, request.respondingTo], ["Ping", 0, undefined]);
  server.send("Ack", {}, 0);
  assertEquals(await answer, {});
  const second = peer.request("GetUsers", { userIds: [5n] });
  assertEquals((await server.take(2)).id, 1);
  server.send("UsersResponse", { users: [{ id: 5n, githubLogin: "eve" }] }, 1);
  assertEquals((await second).users.map((user) => user.githubLogin), ["eve"]);
  peer.close();
});

Deno.test("[transport 2.3.2, 12.7] [rooms 2.6a] what a requester does with its answer comes before the next message", async () => {
  const { peer, server } = await scriptedPair();
  const seen: string[] = [];
  const work = (async () => {
    const { users } = await peer.request("GetUsers", { userIds: [1n] });
    // Several promises deep, as in a client of layers.
    await Promise.resolve();
    await Promise.resolve();
    seen.push(`resumed with ${users.length}`);
    peer.onMessage("RoomUpdated", ({ room }) => void seen.push(`room ${room?.id}`));
  })();
  await server.take(1);
  server.send("UsersResponse", { users: [{ id: 1n }] }, 0);
  server.send("RoomUpdated", { room: { id: 4n } });
  server.send("RoomUpdated", { room: { id: 5n } });
  await work;
  await waitUntil(() => seen.length === 3, { describe: "both messages" });
  assertEquals(seen, ["resumed with 1", "room 4", "room 5"]);
  peer.close();
});

Deno.test("[transport 2.3.3] the barrier holds for each item of a stream", async () => {
  const { peer, server } = await scriptedPair();
  const seen: string[] = [];
  peer.onMessage("RoomUpdated", ({ room }) => void seen.push(`room ${room?.id}`));
  const stream = peer.stream("GetInitialGraphData", { projectId: 1n });
  const work = (async () => {
    for await (const _ of stream) seen.push("item");
    seen.push("end");
  })();
  await server.take(1);
  server.send("GetInitialGraphDataResponse", {}, 0);
  server.send("RoomUpdated", { room: { id: 1n } });
  server.send("GetInitialGraphDataResponse", {}, 0);
  server.send("EndStream", {}, 0);
  server.send("RoomUpdated", { room: { id: 2n } });
  await work;
  await waitUntil(() => seen.length === 5, { describe: "both messages" });
  assertEquals(seen, ["item", "room 1", "item", "end", "room 2"]);
  peer.close();
});

Deno.test("[transport 2.5.2] an Error ends a stream; a reader that stops is forgotten", async () => {
  const warnings: string[] = [];
  const { peer, server } = await scriptedPair({ warn: (text) => warnings.push(text) });
  const failing = peer.stream("GetInitialGraphData", {});
  await server.take(1);
  server.send("GetInitialGraphDataResponse", {}, 0);
  server.send("Error", { code: ErrorCode.NoSuchProject, message: "gone" }, 0);
  server.send("EndStream", {}, 0);
  assertEquals((await failing.next()).done, false);
  const error = await assertRejects(() => failing.next(), RequestError);
  assertEquals([error.code, error.reason], [ErrorCode.NoSuchProject, "gone"]);
  assertEquals((await failing.next()).done, true);
  const stopped = peer.stream("GetInitialGraphData", {});
  await server.take(2);
  server.send("GetInitialGraphDataResponse", {}, 1);
  for await (const _ of stopped) break;
  server.send("GetInitialGraphDataResponse", {}, 1);
  await waitUntil(() => warnings.length === 2, { describe: "two warnings" });
  assertEquals(warnings, [
    "Ignored an answer to the unknown request 0",
    "Ignored an answer to the unknown request 1",
  ]);
  assertEquals(peer.isClosed, false);
  peer.close();
});

Deno.test("[transport 2.3.4] answers to nothing and unknown types are ignored", async () => {
  const warnings: string[] = [];
  const { peer, server } = await scriptedPair({ warn: (text) => warnings.push(text) });
  server.send("Ack", {}, 76);
  server.send("Error", { message: "late" }, 77);
  server.sendEncoded(9_999, new Uint8Array([8, 1]));
  const answer = peer.request("Ping", {});
  await server.take(1);
  server.send("Ack", {}, 0);
  await answer;
  assertEquals(warnings, [
    "Ignored an answer to the unknown request 76",
    "Ignored an answer to the unknown request 77",
    "Ignored a message of the unknown type 9999",
  ]);
  // Nothing but the request was sent.
  assertEquals(server.received.map(({ name }) => name), ["Ping"]);
  peer.close();
});

Deno.test("[transport 2.3.7] an answer of another type fails the request only", async () => {
  const { peer, server } = await scriptedPair();
  const wrong = peer.request("Ping", {});
  await server.take(1);
  server.send("UsersResponse", {}, 0);
  await assertRejects(() => wrong, Error, "Received response of the wrong type to Ping");
  const unknown = peer.request("Ping", {});
  await server.take(2);
  server.sendEncoded(9_999, new Uint8Array(), 1);
  await assertRejects(() => unknown, Error, "Received response of the wrong type");
  assertEquals(peer.isClosed, false);
  peer.close();
});

Deno.test("[transport 2.3.8] an Error answer becomes an error with code, tags and text", async () => {
  const { peer, server } = await scriptedPair();
  const answer = peer.request("JoinProject", { projectId: 3n });
  await server.take(1);
  const tags = ["direction=parent", "odd"];
  server.send("Error", { code: ErrorCode.Forbidden, message: "no such project", tags }, 0);
  const error = await assertRejects(() => answer, RequestError);
  assertInstanceOf(error, RpcError);
  assertEquals(
    error.message,
    "RPC request JoinProject failed: no such project direction=parent odd",
  );
  assertEquals([error.code, error.codeName, error.request], [5, "Forbidden", "JoinProject"]);
  assertEquals(error.hasTag("direction", "parent"), true);
  assertEquals(error.hasTag("direction", "children"), false);
  assertEquals(error.tag("direction"), "parent");
  peer.close();
});

Deno.test("[transport 2.7.6] what nobody handles is answered with an Error, message or not", async () => {
  const { peer, server } = await scriptedPair();
  const id = server.send("RoomUpdated", { room: { id: 1n } });
  const first = await server.take(1);
  assertEquals([first.name, first.respondingTo], ["Error", id]);
  assertEquals(first.value, {
    code: ErrorCode.Internal,
    message: "message RoomUpdated was not handled",
    tags: [],
  });
  peer.close();
});

Deno.test("[transport 2.7.7] request handlers answer, or say why not", async () => {
  const { peer, server } = await scriptedPair();
  peer.onRequest("IncomingCall", ({ roomId }) => {
    if (roomId === 1n) return {};
    if (roomId === 2n) throw new RpcError(ErrorCode.Forbidden, "", ["a=b"]);
    return Promise.reject(new Error("No\nscreen", { cause: new Error("headless") }));
  });
  for (const roomId of [1n, 2n, 3n]) server.send("IncomingCall", { roomId });
  await server.take(3);
  const byRequest = server.received.toSorted((a, b) =>
    (a.respondingTo ?? 0) - (b.respondingTo ?? 0)
  );
  assertEquals(byRequest.map(({ name, respondingTo, value }) => [name, respondingTo, value]), [
    ["Ack", 1, {}],
    ["Error", 2, { code: 5, message: "Forbidden", tags: ["a=b"] }],
    ["Error", 3, { code: 0, message: "No screen: headless", tags: [] }],
  ]);
  peer.close();
});

Deno.test("[transport 2.8.4] a handler sees who sent a forwarded message", async () => {
  const { peer, server } = await scriptedPair();
  const seen: unknown[] = [];
  peer.onMessage("UnshareProject", (_, context) => void seen.push(context.originalSenderId));
  server.send("UnshareProject", { projectId: 1n }, -1, { ownerId: 0, id: 0 });
  server.send("UnshareProject", { projectId: 1n });
  await waitUntil(() => seen.length === 2, { describe: "both messages" });
  assertEquals(seen, [{ ownerId: 0, id: 0 }, undefined]);
  peer.close();
});

Deno.test("[transport 2.7.3] a thing is subscribed to once, and messages wait until it is there", async () => {
  const { peer, server } = await scriptedPair();
  const seen: string[] = [];
  const subscription = peer.subscribe("project", 42n);
  const again = () => Promise.resolve().then(() => peer.subscribe("project", 42n));
  await assertRejects(again, Error, "Already subscribed to entity project 42");
  peer.subscribe("project", 43n)[Symbol.dispose]();
  server.send("UnshareProject", { projectId: 42n });
  const request = server.send("UpdateBuffer", { projectId: 42n, bufferId: 9n });
  server.send("UnshareProject", { projectId: 43n });
  // The last one has nobody, which proves that the others have arrived and wait.
  const unhandled = await server.take(1);
  assertEquals([unhandled.name, unhandled.respondingTo], ["Error", request + 1]);
  subscription.attach({
    messages: { UnshareProject: ({ projectId }) => void seen.push(`unshare ${projectId}`) },
    requests: {
      UpdateBuffer: ({ bufferId }) => {
        seen.push(`update ${bufferId}`);
        return {};
      },
    },
  });
  assertEquals(seen, ["unshare 42", "update 9"]);
  const ack = await server.take(2);
  assertEquals([ack.name, ack.respondingTo], ["Ack", request]);
  server.send("LeaveProject", { projectId: 42n });
  assertEquals((await server.take(3)).name, "Error");
  peer.close();
});

Deno.test("[transport 2.7.4] what waits for a subscription that is dropped was not handled", async () => {
  const { peer, server } = await scriptedPair();
  const subscription = peer.subscribe("channel", 6n);
  const id = server.send("UpdateChannelBuffer", { channelId: 6n });
  const ping = peer.request("Ping", {});
  await server.take(1);
  server.send("Ack", {}, 0);
  await ping;
  subscription[Symbol.dispose]();
  const error = await server.take(2);
  assertEquals([error.name, error.respondingTo], ["Error", id]);
  peer.subscribe("channel", 6n);
  peer.close();
});

Deno.test("[transport 1.8.2] the first message has to be Hello with a peer id", async () => {
  for (const first of ["Ack", "Hello", "end"] as const) {
    const { peer, server } = await scriptedPair({ hello: false });
    if (first === "end") server.socket.close("gone");
    else server.send(first, {});
    const error = await assertRejects(() => peer.hello, ConnectError);
    assertEquals(
      error.message,
      {
        Ack: "Unusable hello message received: another came first",
        Hello: "Unusable hello message received: it has no peer id",
        end: "No hello message received: gone",
      }[first],
    );
    await peer.closed;
    assertEquals([peer.peerId, peer.isClosed], [undefined, true]);
  }
});

Deno.test("[transport 1.8.3] nothing is dispatched before those who wait for Hello go on", async () => {
  const { peer, server } = await scriptedPair({ hello: false });
  server.send("Hello", { peerId: { ownerId: 0, id: 0 } });
  server.send("ShowContacts", {});
  assertEquals(await peer.hello, { ownerId: 0, id: 0 });
  let shown = false;
  peer.onMessage("ShowContacts", () => void (shown = true));
  await waitUntil(() => shown, { describe: "the message" });
  peer.close();
});

Deno.test("[transport 12.10] at the end, requesters fail before observers hear of it", async () => {
  const { peer, server } = await scriptedPair();
  const seen: string[] = [];
  const fail = (what: string) => (error: unknown) => {
    seen.push(`${what}: ${(error as Error).message}`);
  };
  const observed = peer.closed.then((reason) => void seen.push(`observer: ${reason}`));
  const request = (async () => await peer.request("Ping", {}))().catch(fail("request"));
  const stream = peer.stream("GetInitialGraphData", {}).next().catch(fail("stream"));
  await server.take(2);
  server.socket.close("connection closed");
  await Promise.all([observed, request, stream]);
  assertEquals(seen.toSorted(), [
    "observer: connection closed",
    "request: Connection was closed",
    "stream: Connection was closed",
  ]);
  assertEquals(seen.at(-1), "observer: connection closed");
  await assertRejects(() => peer.request("Ping", {}), ConnectionClosedError);
  await assertRejects(() => peer.stream("GetInitialGraphData", {}).next(), ConnectionClosedError);
  peer.send("LeaveProject", { projectId: 1n });
});

Deno.test("[transport 2.6.2] what arrived before the end is still processed", async () => {
  const { peer, server } = await scriptedPair();
  const seen: bigint[] = [];
  peer.onMessage("UnshareProject", ({ projectId }) => void seen.push(projectId));
  const ping = peer.request("Ping", {});
  await server.take(1);
  server.send("UnshareProject", { projectId: 1n });
  server.send("Ack", {}, 0);
  server.send("UnshareProject", { projectId: 2n });
  server.socket.close();
  await ping;
  await peer.closed;
  assertEquals(seen, [1n, 2n]);
});

Deno.test("[transport 1.6.4] a message that cannot be read ends the connection", async () => {
  for (const bytes of [new Uint8Array(), new Uint8Array([1, 2, 3, 4, 5, 6])]) {
    const { peer, server } = await scriptedPair();
    server.socket.send(bytes);
    const reason = await peer.closed;
    assertEquals(reason.startsWith("cannot read a message: "), true);
    await waitUntil(() => server.end !== undefined, { describe: "the end at the server" });
  }
});

Deno.test("[transport 1.6.3] with a compressor messages are sent as Zed sends them", async () => {
  const { peer, server } = await scriptedPair({ compress: (plain) => zstdCompressSync(plain) });
  const frames: Uint8Array[] = [];
  const send = server.socket.other.send.bind(server.socket.other);
  server.socket.other.send = (bytes) => {
    frames.push(bytes);
    send(bytes);
  };
  peer.onRequest("IncomingCall", () => ({}));
  const answer = peer.request("GetUsers", { userIds: [1n, 2n] });
  server.send("IncomingCall", { roomId: 1n });
  await server.take(2);
  assertEquals(server.received.map(({ name, id, respondingTo }) => [name, id, respondingTo]), [
    ["GetUsers", 0, undefined],
    ["Ack", 1, 1],
  ]);
  for (const frame of frames) {
    // Magic, then a descriptor without a content size.
    assertEquals([...frame.subarray(0, 5)], [0x28, 0xb5, 0x2f, 0xfd, 0x00]);
  }
  server.send("UsersResponse", {}, 0);
  await answer;
  peer.close();
});
