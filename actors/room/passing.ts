/**
 * What passes through a room on its way to somebody in a project: it changes nothing, so that it needs
 * no turn and is spoken at once. [style A5] [projects 8] [projects 9]
 */
import { RpcError } from "../../rpc/errors.ts";
import { type Route, routes } from "../../rpc/routes.ts";
import type { Handling } from "../handling.ts";
import { ask, checkAccess, type ProjectState, tell, tellOthers } from "../project/mod.ts";
import type { ConnectionRef, Inbound } from "../refs/mod.ts";
import { answerError } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { ACK } from "../turn.ts";
import type { RoomState } from "./state.ts";

/** What a host may answer to a forwarded `UpdateBuffer`. */
const UPDATE_BUFFER = routes.find(({ message }) => message === "UpdateBuffer") as Route;

/** @throws {RpcError} there is no such project in the room */
export function projectOf(room: RoomState, id: number): ProjectState {
  const project = room.projects.get(id);
  if (project === undefined) throw RpcError.internal(`no such project: ${id}`);
  return project;
}

/** Passes a message on as its route says. @throws {RpcError} its sender may not send it */
export function passOn(
  system: ActorSystem,
  room: RoomState,
  project: ProjectState,
  inbound: Inbound,
): void {
  const { route, connection, requestId } = inbound;
  const { registry } = system;
  checkAccess(route.access, project, connection.key, room.roleOf(connection.key));
  system.metrics.messagesForwarded.inc();
  switch (route.treatment) {
    case "ask host":
    case "ask host for a stream":
      ask(system, inbound, project.hostKey);
      return;
    case "tell host":
      tell(registry, inbound, project.hostKey);
      if (route.answers.length > 0) connection.outbox.push(ACK, requestId, 0);
      return;
    case "tell others":
      tellOthers(registry, project, inbound);
      return;
    case "tell peer":
    case "ask peer": {
      const target = project.collaborator(inbound.peer);
      if (target === undefined) throw RpcError.internal("no such connection in this project");
      if (route.treatment === "tell peer") tell(registry, inbound, target.key);
      else ask(system, inbound, target.key);
      return;
    }
    default:
      throw new Error(`Cannot pass ${route.message} on: its treatment is "${route.treatment}"`);
  }
}

/** The hot path: to the guests, and what a guest writes also to the host, who answers it. [projects 9.3] */
export function passUpdateBuffer(
  system: ActorSystem,
  room: RoomState,
  projectId: number,
  connection: ConnectionRef,
  requestId: number,
  original: Uint8Array,
  writes: boolean,
  handling: Handling | undefined,
): void {
  let project: ProjectState;
  try {
    project = projectOf(room, projectId);
    const access = writes ? "editor" : "reader";
    checkAccess(access, project, connection.key, room.roleOf(connection.key));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    answerError({ connection, requestId }, error);
    return;
  }
  const { connections } = system.registry;
  let slow: ConnectionRef[] | undefined;
  let receivers = 0;
  for (const guest of project.guests) {
    if (guest.key === connection.key) continue;
    const receiver = connections.get(guest.key);
    if (receiver === undefined) continue;
    receiver.outbox.forward(original, -1, connection.ownerId, connection.id);
    receivers++;
    if (receiver.outbox.congested) (slow ??= []).push(receiver);
  }
  system.metrics.messagesForwarded.inc(receivers);
  if (project.hostKey !== connection.key) {
    const question = { connection, requestId, original, route: UPDATE_BUFFER, handling };
    ask(system, question, project.hostKey);
  } else if (slow === undefined) connection.outbox.push(ACK, requestId, 0);
  else acknowledgeWhenRelieved(connection, requestId, slow);
}

/** [design 1.8] */
function acknowledgeWhenRelieved(
  connection: ConnectionRef,
  requestId: number,
  slow: readonly ConnectionRef[],
): void {
  let waiting = slow.length;
  for (const one of slow) {
    one.outbox.whenRelieved(() => {
      if (--waiting === 0) connection.outbox.push(ACK, requestId, 0);
    });
  }
}
