/** What comes over the open WebSocket: Hello, the initial pushes, answers, pongs. [rooms 4] */
import type { Credentials } from "../../client/connect.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import { Peer } from "../../client/peer.ts";
import type { MessageName } from "../../proto/mod.ts";
import type { RpcTarget } from "./discovery.ts";
import { quoted } from "./findings.ts";
import { type Means, reason } from "./reach.ts";
import type { RawWebSocket } from "./raw_web_socket.ts";
import { openWebSocket } from "./upgrade.ts";

/** Signs in as that user and looks at what a Zed waits for; whether he was let in. */
export async function checkSession(
  target: RpcTarget,
  credentials: Credentials,
  means: Means,
): Promise<boolean> {
  const socket = await openWebSocket(target, credentials, means);
  if (socket === undefined) return false;
  const names: MessageName[] = [];
  const dispatcher = new Dispatcher();
  dispatcher.observe((name) => void names.push(name));
  const peer = new Peer(socket, { dispatcher });
  try {
    if (await checkHello(peer, means) && await checkPushes(peer, names, means)) {
      await checkLiveness(socket, means);
    }
    return true;
  } finally {
    peer.close();
    await socket.closed;
    await peer.closed;
  }
}

async function checkHello(peer: Peer, means: Means): Promise<boolean> {
  const { findings, sessionPatience } = means;
  const begin = performance.now();
  try {
    const { ownerId, id } = await inTime(peer.hello, sessionPatience);
    const milliseconds = Math.round(performance.now() - begin);
    findings.pass("hello", `Hello to peer ${ownerId}:${id} after ${milliseconds} ms`);
    return true;
  } catch (error) {
    findings.fail(
      "hello",
      `No usable Hello (${quoted(reason(error))})`,
      "Zed waits for it, 20 s from its first request, and then gives up",
      "Look into the server's log; a proxy must not hold back or change what goes over the WebSocket",
    );
    return false;
  }
}

async function checkPushes(
  peer: Peer,
  names: readonly MessageName[],
  means: Means,
): Promise<boolean> {
  const { findings, sessionPatience } = means;
  try {
    // What the server pushes at first comes before any answer.
    await inTime(peer.request("Ping", {}), sessionPatience);
  } catch (error) {
    findings.fail(
      "pushes",
      `A request was not answered (${quoted(reason(error))})`,
      "The connection is open, but nothing can be done over it",
      "Look into the server's log; a proxy must pass on what the client sends at once",
    );
    return false;
  }
  if (names.includes("UpdateContacts")) {
    findings.pass("pushes", `Ping was answered, after ${names.join(", ")}`);
  } else {
    findings.fail(
      "pushes",
      `The contacts did not come (but ${names.join(", ") || "nothing"})`,
      "Zed shows no contacts, so that nobody can be called",
      "Look into the server's log",
    );
  }
  return true;
}

async function checkLiveness(
  socket: RawWebSocket,
  { findings, sessionPatience }: Means,
): Promise<void> {
  try {
    await inTime(socket.ping(), sessionPatience);
    findings.pass("liveness", "a WebSocket ping is answered");
  } catch (error) {
    findings.fail(
      "liveness",
      `A WebSocket ping is not answered (${reason(error)})`,
      "Zed ends a connection on which nothing comes for 10 s, and starts over again and again",
      "A proxy must pass on pings and pongs",
    );
  }
}

/** @throws when it takes longer than `patience` milliseconds */
async function inTime<T>(promise: Promise<T>, patience: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Nothing came within ${patience / 1000} s`)),
    patience,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
