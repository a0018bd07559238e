/** What passes through a project: nothing of it is decoded, stored or re-encoded. [projects 8] [projects 9] */
import { decode, encode, fieldNumber, messageInfo } from "../../proto/mod.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { payloadField } from "../../rpc/frame.ts";
import { errorField } from "../../rpc/outbox.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import {
  type AppVersion,
  knowsLaterRequests,
  readsLanguageServerLogs,
} from "../../lib/app_version.ts";
import { ForwardedRequest } from "../forwarded_request.ts";
import type { Inbound } from "../refs/mod.ts";
import type { Registry } from "../registry.ts";
import type { ActorSystem } from "../system.ts";
import { checkRole } from "./access.ts";
import type { ProjectContext } from "./context.ts";
import type { ProjectState } from "./state.ts";
import { FieldReader } from "../../rpc/fields.ts";

/** Requests of one connection that may wait for other clients at a time. [projects 15.3] */
const OPEN_REQUESTS = 4096;

const LSP_QUERY = messageInfo("LspQuery").tag as number;
const LSP_QUERY_RESPONSE = messageInfo("LspQueryResponse").tag as number;

/** Variants of `LspQuery` that reading is enough for. [projects 8.6] */
const READING_QUERIES: ReadonlySet<number> = new Set(
  ([
    "getHover",
    "getSignatureHelp",
    "getDocumentDiagnostics",
    "getDefinition",
    "getDeclaration",
    "getTypeDefinition",
    "getImplementation",
    "getReferences",
    "getDocumentColor",
    "getFoldingRanges",
    "getDocumentSymbols",
    "getDocumentLinks",
    "inlayHints",
    "semanticTokens",
  ] as const).map((name) => fieldNumber("LspQuery", name)),
);
/** First field of `LspQuery`'s variants, which are messages: a number beside them is none. */
const FIRST_QUERY = 3;

/** What of a message is needed to forward it as a request. */
export type Question = Pick<
  Inbound,
  "connection" | "requestId" | "original" | "route" | "handling"
>;

/** What the one who asks adds to the request. */
export interface Asking {
  /** Fields that replace the payload's own. */
  readonly extra?: Uint8Array;
  /** Runs after an answer that is no error has been passed on. */
  readonly onSuccess?: (() => void) | undefined;
}

/** Forwards a request to one connection and relays what it answers. [projects 8.1] */
export function ask(
  system: ActorSystem,
  question: Question,
  target: PeerKey,
  { extra, onSuccess }: Asking = {},
): void {
  const { connection, requestId, original, route, handling } = question;
  const refuse = (code: number, text: string) =>
    connection.outbox.push(errorField(code, text), requestId, 0);
  const peer = system.registry.connections.get(target);
  if (peer === undefined) return refuse(ErrorCode.Internal, "no such connection");
  if (connection.asking.size >= OPEN_REQUESTS) {
    return refuse(
      ErrorCode.RateLimitExceeded,
      `${OPEN_REQUESTS} requests of this connection wait for other clients already`,
    );
  }
  const known = !route.later || knowsLaterRequests(peer.version);
  const unknown = () =>
    `Zed ${peer.version.text}, which is asked, does not know the request ${route.message}`;
  if (known === false) return refuse(ErrorCode.Internal, unknown());
  const { clock, times } = system;
  const pending = new ForwardedRequest(connection, requestId, target, route, onSuccess, () => {
    if (limit !== undefined) clock.clearTimeout(limit);
    handling?.answered(connection.asking.size);
  });
  const limit = known === undefined
    ? clock.setTimeout(() => {
      if (!pending.begun) pending.giveUp(unknown());
    }, times.oldHost)
    : undefined;
  peer.outbox.forward(original, -1, connection.ownerId, connection.id, extra, pending);
}

/** Passes a message on to one connection; nothing happens when it is gone. */
export function tell(registry: Registry, inbound: Inbound, target: PeerKey): void {
  const { connection, original } = inbound;
  registry.connections.get(target)?.outbox.forward(
    original,
    -1,
    connection.ownerId,
    connection.id,
  );
}

/** Passes a message on to all collaborators but its sender, if they can read it. [projects 10] */
export function tellOthers(registry: Registry, project: ProjectState, inbound: Inbound): void {
  const isLog = inbound.route.message === "LanguageServerLog";
  for (const { key } of project.collaborators.values()) {
    if (key === inbound.connection.key) continue;
    if (isLog && !reads(registry, key, readsLanguageServerLogs)) continue;
    tell(registry, inbound, key);
  }
}

/** Whether a collaborator who is there has a version of that kind. */
export function reads(
  registry: Registry,
  key: PeerKey,
  kind: (version: AppVersion) => boolean,
): boolean {
  const connection = registry.connections.get(key);
  return connection !== undefined && kind(connection.version);
}

/** [projects 8.6] Each guest's ids are made unique, so that no guest takes another's answer. */
export function handleLspQuery(context: ProjectContext): void {
  const { system, project, inbound } = context;
  const { connection } = inbound;
  let guestId = 0n;
  let variant = 0;
  const fields = new FieldReader(inbound.payload);
  while (fields.next()) {
    if (fields.number === 2) guestId = fields.bigint();
    else if (fields.wireType === 2 && fields.number >= FIRST_QUERY) variant = fields.number;
  }
  if (!READING_QUERIES.has(variant)) checkRole("editor", context.roleOf(connection.key));
  const id = project.queries.add(connection.key, guestId, system.clock.now());
  const extra = payloadField(LSP_QUERY, encode("LspQuery", { lspRequestId: id }));
  context.turn.then(() => ask(system, inbound, project.hostKey, { extra }));
}

/** [projects 8.6] */
export function handleLspQueryResponse(context: ProjectContext): void {
  const { system, project, inbound } = context;
  const fields = new FieldReader(inbound.payload);
  let id = 0n;
  while (fields.next()) if (fields.number === 2) id = fields.bigint();
  const query = project.queries.take(id);
  if (query === undefined) return;
  const { connection, original } = inbound;
  // A zero is left out by the codec, and a merge cannot reset what is left out: write it.
  const restored = query.requestId === 0n
    ? new Uint8Array([0x10, 0])
    : encode("LspQueryResponse", { lspRequestId: query.requestId });
  const extra = payloadField(LSP_QUERY_RESPONSE, restored);
  context.turn.then(() =>
    system.registry.connections.get(query.guest)?.outbox.forward(
      original,
      -1,
      connection.ownerId,
      connection.id,
      extra,
    )
  );
}

/** [projects 11] Assistant contexts of 2025. */
export function handleUpdateContext(context: ProjectContext): void {
  const { system, project, inbound } = context;
  const { operation } = decode("UpdateContext", inbound.payload);
  if (operation === undefined) throw RpcError.internal("invalid operation: none was sent");
  const inner = operation.bufferOperation?.operation;
  const reads = operation.bufferOperation === undefined
    ? Object.values(operation).every((one) => one === undefined)
    : inner !== undefined &&
      Object.entries(inner).every(([name, one]) =>
        one === undefined || name === "updateSelections"
      );
  if (!reads) checkRole("editor", context.roleOf(inbound.connection.key));
  context.turn.then(() => tellOthers(system.registry, project, inbound));
}
