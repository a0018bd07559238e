/** What a connection answers itself: nothing of it changes another actor. */
import { decode, fieldNumber, type MessageName } from "../../proto/mod.ts";
import type { User } from "../../db/store.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { FieldReader } from "../../rpc/fields.ts";
import { errorField } from "../../rpc/outbox.ts";
import { MODELS_UNAVAILABLE } from "../account_policy.ts";
import { createChannel } from "../channel/mod.ts";
import { getMessagesById } from "../chat/mod.ts";
import { rejoinNotes } from "../notes/mod.ts";
import { checkReads, countedRead } from "../reading.ts";
import type { Inbound } from "../refs/mod.ts";
import { answerUnreadable, refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { ACK, fieldOf } from "../turn.ts";
import { wireUser } from "../wire_user.ts";

/** More ids in one `GetUsers` are refused. [channels 2.3] */
const MOST_USERS = 10_000;
/** Results of a search. [channels 2.4] */
const SEARCH_LIMIT = 10;

/** Fields of `UpdateFollowers`. */
const ROOM_ID = fieldNumber("UpdateFollowers", "roomId");
const PROJECT_ID = fieldNumber("UpdateFollowers", "projectId");

type Handler = (system: ActorSystem, inbound: Inbound) => void;

export const connectionHandlers: Partial<Record<MessageName, Handler>> = {
  Ping: (_system, inbound) => answer(inbound, ACK),
  GetUsers: handleGetUsers,
  FuzzySearchUsers: handleFuzzySearchUsers,
  GetPrivateUserInfo: handleGetPrivateUserInfo,
  GetLlmToken: handleGetLlmToken,
  AcceptTermsOfService: handleAcceptTermsOfService,
  CreateChannel: createChannel,
  GetChannelMessagesById: getMessagesById,
  RejoinChannelBuffers: rejoinNotes,
  UpdateFollowers: handleUpdateFollowers,
};

function answer({ connection, requestId }: Inbound, field: Uint8Array): void {
  connection.outbox.push(field, requestId, 0);
}

/**
 * The project that it names decides who hears of it, else the room. It comes with every movement of a
 * leader, and is not decoded for these two numbers. [rooms 11.3]
 */
function handleUpdateFollowers(system: ActorSystem, inbound: Inbound): void {
  let roomId = 0n;
  let projectId: bigint | undefined;
  const fields = new FieldReader(inbound.payload);
  while (fields.next()) {
    if (fields.number === ROOM_ID) roomId = fields.bigint();
    else if (fields.number === PROJECT_ID) projectId = fields.bigint();
  }
  const { rooms, projects } = system.registry;
  const [kind, receiver] = projectId === undefined
    ? ["room", rooms.get(Number(roomId))] as const
    : ["project", projects.get(Number(projectId))] as const;
  // It is timed as this connection's work already.
  if (receiver !== undefined) receiver.receive({ ...inbound, handling: undefined });
  else refuse(system, inbound, RpcError.internal(`no such ${kind}`));
}

/** [channels 2.3] At once when all are in memory: clients wait for it at every snapshot. */
function handleGetUsers(system: ActorSystem, inbound: Inbound): void {
  const { userIds } = decode("GetUsers", inbound.payload);
  if (userIds.length >= MOST_USERS) {
    answer(
      inbound,
      errorField(
        ErrorCode.Internal,
        `cannot look up ${userIds.length} users at once, at most ${MOST_USERS - 1}`,
      ),
    );
    return;
  }
  if (tooManyReads(system, inbound)) return;
  answerUsers(system, inbound, system.directory.find(userIds.map(Number)));
}

/** [channels 2.4] The caller is removed behind the limit. */
function handleFuzzySearchUsers(system: ActorSystem, inbound: Inbound): void {
  const { query } = decode("FuzzySearchUsers", inbound.payload);
  if (tooManyReads(system, inbound)) return;
  const found = query === "" ? [] : system.store.searchUsers(query, SEARCH_LIMIT)
    .then((users) => users.filter((user) => user.id !== inbound.connection.userId));
  answerUsers(system, inbound, found);
}

function answerUsers(
  system: ActorSystem,
  inbound: Inbound,
  users: readonly User[] | Promise<readonly User[]>,
): void {
  const tell = (found: readonly User[]) =>
    answer(inbound, fieldOf("UsersResponse", { users: found.map((one) => wireUser(system, one)) }));
  if (users instanceof Promise) {
    countedRead(inbound.connection, users)
      .then(tell, (error) => answerUnreadable(system, inbound, "Accounts", error));
  } else tell(users);
}

/** [rooms 4.7] Clients of 2025 show no account until this is answered; it says what HTTP says. */
function handleGetPrivateUserInfo(system: ActorSystem, inbound: Inbound): void {
  withSender(system, inbound, (user) =>
    answer(
      inbound,
      fieldOf("GetPrivateUserInfoResponse", {
        metricsId: user.metricsId,
        // [rooms 3.8]
        staff: inbound.connection.impersonatorId !== null || system.accounts.isStaff(user),
        acceptedTosAt: termsAcceptedAt(user),
      }),
    ));
}

/** [transport 9.1] The same token as over HTTP; a client of 2025 names neither machine nor organization. */
function handleGetLlmToken(system: ActorSystem, inbound: Inbound): void {
  withSender(system, inbound, (user) => {
    const made = system.accounts.createModelToken(user, { systemId: null, organizationId: null });
    if (made === undefined) {
      answer(inbound, errorField(ErrorCode.Internal, MODELS_UNAVAILABLE));
      return;
    }
    made.then((token) => answer(inbound, fieldOf("GetLlmTokenResponse", { token })), (error) => {
      system.log.error("A model token cannot be signed: {error}", { error });
      answer(inbound, errorField(ErrorCode.Internal, "the token for models cannot be signed"));
    });
  });
}

/** [transport 9.4] There are no terms: they count as accepted since the account was made. */
function handleAcceptTermsOfService(system: ActorSystem, inbound: Inbound): void {
  withSender(system, inbound, (user) =>
    answer(
      inbound,
      fieldOf("AcceptTermsOfServiceResponse", { acceptedTosAt: termsAcceptedAt(user) }),
    ));
}

/** Unix seconds. */
function termsAcceptedAt(user: User): bigint {
  return BigInt(Math.floor(user.createdAt / 1000));
}

/** Runs `tell` with the account of who asks, or answers why there is none. */
function withSender(system: ActorSystem, inbound: Inbound, tell: (user: User) => void): void {
  const told = ([user]: readonly User[]) => {
    if (user !== undefined) tell(user);
    else answer(inbound, errorField(ErrorCode.Internal, "your account does not exist any more"));
  };
  if (tooManyReads(system, inbound)) return;
  const found = system.directory.find([inbound.connection.userId]);
  if (found instanceof Promise) {
    countedRead(inbound.connection, found)
      .then(told, (error) => answerUnreadable(system, inbound, "Accounts", error));
  } else told(found);
}

/** Whether the message was refused, because its connection waits for too much already. */
function tooManyReads(system: ActorSystem, inbound: Inbound): boolean {
  try {
    checkReads(inbound.connection);
    return false;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    refuse(system, inbound, error);
    return true;
  }
}
