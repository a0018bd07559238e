/**
 * The protocol in one table: who handles a message, who may send it, what becomes of it.
 *
 * A message that only passes through needs a row here and nothing else. `docs/PROTOCOL.md` is
 * generated from this file. [projects 8.2] [projects 10] [rooms 13] [channels 1.5]
 */
import { fieldNumber, messageInfo, type MessageName } from "../proto/mod.ts";
import type { RoutingSpec } from "./envelope.ts";
import { ErrorCode } from "./errors.ts";

/**
 * Kind of actor that handles the message. A project's messages run in the turn of its room, a
 * channel's in the turn of its tree; those of agents begin at their user's desk.
 */
export type Receiver = "connection" | "user" | "room" | "project" | "channel" | "agents";

/**
 * Who may send it. `reader` and `editor` are collaborators of the project whose role in the room is
 * looked at with each message [projects 4]; `participant` is checked by the handlers, in the order the
 * rules give. A `channel admin` and a `channel reader` have a role in the channel. [channels 5.7]
 */
export type Access =
  | "anyone"
  | "participant"
  | "reader"
  | "editor"
  | "collaborator"
  | "host"
  | "channel admin"
  | "channel reader";

/** What becomes of it. */
export type Treatment =
  /** The receiver has a handler of that name. */
  | "handle"
  /** Forwarded to the project's host as a request, whose answer is relayed. [projects 8.1] */
  | "ask host"
  /** The same with many answers, up to `EndStream` or `Error`. [projects 8.4] */
  | "ask host for a stream"
  /** Forwarded to the host as a plain message; a request is answered with `Ack` at once. [projects 8.5] */
  | "tell host"
  /** Forwarded to all other collaborators as a plain message. [projects 10] */
  | "tell others"
  /** Forwarded to the guests as a plain message, nothing answered. [projects 9.3] */
  | "tell peer"
  /** Forwarded to the payload's `peer_id` as a request, whose answer is relayed. [projects 9.6] */
  | "ask peer"
  /** Answered with an `Error`, whoever asks. [projects 8.3] [projects 8.7] */
  | "refuse"
  /** A plain message without a route: counted and dropped. [projects 8.7] */
  | "drop";

export interface Route {
  readonly message: MessageName;
  readonly tag: number;
  readonly to: Receiver;
  readonly access: Access;
  readonly treatment: Treatment;
  /** It is answered, if only with an `Error`; what is not is a plain message. [projects 1.4] */
  readonly request: boolean;
  /** It came after June 2025: older clients never answer it. [transport 10.3] */
  readonly later: boolean;
  /** Types that a success may have; empty for one-way messages. */
  readonly answers: readonly MessageName[];
  /** Envelope tags of `answers`. */
  readonly answerTags: readonly number[];
  /** Fields of the payload that decide where it goes and who may send it. */
  readonly routing: RoutingSpec;
  /** With `refuse`: the code of the error. */
  readonly refusal: number;
}

/** Requests that a client sends without wanting an answer, though the schema names one. */
const SILENT: ReadonlySet<string> = new Set(["DeclineCall"]);

type Names = readonly MessageName[];

interface Options {
  readonly answers?: Names;
  /** Field of the payload that names a target peer. */
  readonly peerField?: number;
  /** Where the payload's contents decide who may send it. */
  readonly contents?: Omit<RoutingSpec, "id" | "peer">;
  readonly refusal?: number;
}

function rows(
  to: Receiver,
  access: Access,
  treatment: Treatment,
  messages: Names,
  options: Options = {},
): Route[] {
  return messages.map((message) => {
    const { tag, response, only } = messageInfo(message);
    if (tag === undefined) throw new TypeError(`Cannot route "${message}": it has no envelope tag`);
    const answers = options.answers ?? (response === undefined ? [] : [response]);
    return {
      message,
      tag,
      request: answers.length > 0 && !SILENT.has(message),
      later: only === "2026",
      to,
      access,
      treatment,
      answers,
      answerTags: answers.map((name) => messageInfo(name).tag as number),
      routing: {
        // Every message of a room, project or channel names it in its first field.
        id: to === "room" || to === "project" || to === "channel" ? 1 : 0,
        peer: options.peerField ?? 0,
        ...(options.contents ?? { first: 0, last: 0, inner: 0, innerOnly: 0 }),
      },
      refusal: options.refusal ?? ErrorCode.Internal,
    };
  });
}

const ONE_WAY: Options = { answers: [] };

const OPERATIONS = fieldNumber("UpdateBuffer", "operations");
const NOTES_OPERATIONS = fieldNumber("UpdateChannelBuffer", "operations");
const UPDATE_SELECTIONS = fieldNumber("Operation", "updateSelections");
/** The variants of `LspQuery`. What lies beyond is of a later Zed, and may be none. */
const FIRST_QUERY = fieldNumber("LspQuery", "getReferences");
const LAST_QUERY = fieldNumber("LspQuery", "getDocumentLinks");

/** Every route, grouped by who handles it. */
export const routes: readonly Route[] = [
  // The connection itself.
  ...rows("connection", "anyone", "handle", [
    "Ping",
    "GetUsers",
    "FuzzySearchUsers",
    "GetPrivateUserInfo",
    "GetLlmToken",
    "AcceptTermsOfService",
    // Names the parent, if there is one, in its second field.
    "CreateChannel",
    // Names messages, which name their channels.
    "GetChannelMessagesById",
    // Names many channels.
    "RejoinChannelBuffers",
  ]),

  // The user: contacts, notifications, subscription to channels, and the seat that a user has in at
  // most one room, a channel's call among them.
  ...rows("user", "anyone", "handle", [
    "RequestContact",
    "RespondToContactRequest",
    "RemoveContact",
    "GetNotifications",
    "MarkNotificationRead",
    "CreateRoom",
    "LeaveRoom",
    "SubscribeToChannels",
    "JoinChannel",
    // Changes nothing but what the user has seen.
    "AckChannelMessage",
  ]),

  // Channels. Where the name or the place in the tree decides first, the handler looks at the role.
  // [channels 18]
  ...rows("channel", "anyone", "handle", [
    "RenameChannel",
    "ReorderChannel",
    "RemoveChannelMember",
    "RespondToChannelInvite",
    "LeaveChannelChat",
    "SendChannelMessage",
    "RemoveChannelMessage",
  ]),
  ...rows("channel", "channel admin", "handle", [
    "DeleteChannel",
    "SetChannelVisibility",
    "MoveChannel",
    "InviteChannelMember",
    "SetChannelMemberRole",
  ]),
  ...rows("channel", "channel reader", "handle", [
    "GetChannelMembers",
    "JoinChannelChat",
    "GetChannelMessages",
    "UpdateChannelMessage",
  ]),

  // Channels: their notes. Whoever has them open may leave them, and anybody say what he has seen.
  // `AckBufferOperation` names the notes in its first field, whose id is their channel's. [channels 8]
  ...rows("channel", "channel reader", "handle", ["JoinChannelBuffer"]),
  ...rows("channel", "channel reader", "handle", ["UpdateChannelBuffer"], {
    contents: { first: 0, last: 0, inner: NOTES_OPERATIONS, innerOnly: UPDATE_SELECTIONS },
  }),
  ...rows("channel", "anyone", "handle", ["LeaveChannelBuffer", "AckBufferOperation"]),

  // Rooms and calls.
  ...rows("room", "participant", "handle", [
    "JoinRoom",
    "RejoinRoom",
    "Call",
    "CancelCall",
    "SetRoomParticipantRole",
    "UpdateParticipantLocation",
    "ShareProject",
  ]),
  ...rows("room", "participant", "handle", ["DeclineCall"], ONE_WAY),
  ...rows("room", "participant", "handle", ["Follow", "Unfollow"], { peerField: 3 }),
  // With a project it goes to that project's people, whatever room it names. [rooms 11.3]
  ...rows("connection", "participant", "handle", ["UpdateFollowers"]),

  // Projects: membership.
  ...rows("project", "participant", "handle", ["JoinProject"]),
  ...rows("project", "collaborator", "handle", ["LeaveProject"]),

  // Projects: what the host tells.
  ...rows("project", "host", "handle", [
    "UnshareProject",
    "UpdateProject",
    "UpdateWorktree",
    "UpdateRepository",
    "RemoveRepository",
    "UpdateDiagnosticSummary",
    "UpdateWorktreeSettings",
    "StartLanguageServer",
  ]),
  ...rows("project", "host", "handle", ["LspQueryResponse"], ONE_WAY),
  ...rows("project", "collaborator", "handle", ["UpdateLanguageServer"]),
  ...rows("project", "host", "tell peer", ["CreateBufferForPeer", "CreateImageForPeer"], {
    peerField: 2,
  }),
  ...rows("project", "host", "ask peer", ["FindSearchCandidatesChunk"], { peerField: 2 }),
  ...rows("project", "host", "tell others", [
    "UpdateBufferFile",
    "BufferReloaded",
    "BufferSaved",
    "UpdateDiffBases",
    "RefreshInlayHints",
    "RefreshCodeLens",
    "BreakpointsForFile",
    "AdvertiseContexts",
    "RefreshSemanticTokens",
    "PullWorkspaceDiagnostics",
    "LanguageServerLog",
  ], ONE_WAY),

  // Projects: what needs a look into the payload. Access is by its contents. [projects 9.3] [projects 8.6]
  ...rows("project", "reader", "handle", ["UpdateBuffer"], {
    contents: { first: 0, last: 0, inner: OPERATIONS, innerOnly: UPDATE_SELECTIONS },
  }),
  ...rows("project", "reader", "handle", ["LspQuery"], {
    contents: { first: FIRST_QUERY, last: LAST_QUERY, inner: 0, innerOnly: 0 },
  }),
  ...rows("project", "reader", "handle", ["UpdateContext"]),

  // Projects: asked of the host, reading. [projects 8.2]
  ...rows("project", "reader", "ask host", [
    "OpenBufferByPath",
    "OpenBufferById",
    "OpenBufferForSymbol",
    "SynchronizeBuffers",
    "OpenImageByPath",
    "DownloadFileByPath",
    "GetHover",
    "GetDefinition",
    "GetDeclaration",
    "GetTypeDefinition",
    "GetReferences",
    "GetDocumentHighlights",
    "GetDocumentSymbols",
    "GetProjectSymbols",
    "InlayHints",
    "ResolveInlayHint",
    "ResolveCodeAction",
    "GetColorPresentation",
    "ResolveDocumentLink",
    "LanguageServerIdForName",
    "LspExtExpandMacro",
    "LspExtOpenDocs",
    "LspExtSwitchSourceHeader",
    "LspExtGoToParentModule",
    "LspExtCancelFlycheck",
    "LspExtRunFlycheck",
    "LspExtClearFlycheck",
    "OpenUnstagedDiff",
    "OpenUncommittedDiff",
    "GitGetBranches",
    "GetDefaultBranch",
    "GetRemotes",
    "GitShow",
    "LoadCommitDiff",
    "GitGetHeadSha",
    "GetCommitData",
    "GitGetWorktrees",
    "GitWorktreeCreatedAt",
  ]),
  ...rows("project", "reader", "ask host", ["FindSearchCandidates"], {
    answers: ["FindSearchCandidatesResponse", "Ack"],
  }),
  ...rows("project", "reader", "ask host for a stream", ["GetInitialGraphData", "SearchCommits"]),
  ...rows("project", "reader", "tell host", ["FindSearchCandidatesCancelled"], ONE_WAY),

  // Projects: asked of the host, writing. The two destructive git requests are tightened to
  // editors, as the specification recommends. [projects 8.2] [projects 17.11]
  ...rows("project", "editor", "ask host", [
    "OpenNewBuffer",
    "SaveBuffer",
    "ReloadBuffers",
    "FormatBuffers",
    "CreateProjectEntry",
    "RenameProjectEntry",
    "CopyProjectEntry",
    "DeleteProjectEntry",
    "ExpandProjectEntry",
    "ExpandAllForProjectEntry",
    "GetCodeLens",
    "GetCodeActions",
    "ApplyCodeAction",
    "ApplyCodeActionKind",
    "GetCompletions",
    "PrepareRename",
    "PerformRename",
    "OnTypeFormatting",
    "LinkedEditingRange",
    "MultiLspQuery",
    "RegisterBufferWithLanguageServers",
    "RestartLanguageServers",
    "StopLanguageServers",
    "LspExtRunnables",
    "OpenCommitMessageBuffer",
    "BlameBuffer",
    "GitCreateBranch",
    "GitChangeBranch",
    "UpdateGitBranch",
    "GitCreateRemote",
    "GitRemoveRemote",
    "GitDiff",
    "GetTreeDiff",
    "GetBlobContent",
    "GitReset",
    "GitCheckoutFiles",
    "SetIndexText",
    "Stage",
    "Unstage",
    "Commit",
    "RunGitHook",
    "Stash",
    "StashPop",
    "StashDrop",
    "GitInit",
    "CheckForPushedCommits",
    "GitEditRef",
    "GitCreateWorktree",
    "GitRepairWorktrees",
    "ToggleBreakpoint",
    "OpenContext",
    "CreateContext",
    "SynchronizeContexts",
  ]),
  // The schema does not name the answers of these two. [projects 8.2]
  ...rows("project", "editor", "ask host", ["ApplyCompletionAdditionalEdits"], {
    answers: ["ApplyCompletionAdditionalEditsResponse"],
  }),
  ...rows("project", "editor", "ask host", ["ResolveCompletionDocumentation"], {
    answers: ["ResolveCompletionDocumentationResponse"],
  }),
  ...rows("project", "editor", "tell host", ["ToggleLspLogs"]),

  // Threads of agents: always the sender's own, since another user's are other threads. [agents 1]
  ...rows("agents", "anyone", "handle", [
    "RegisterAgentHost",
    "PublishAgentEvents",
    "SubscribeToAgentEvents",
    "UnsubscribeFromAgentEvents",
    "GetAgentThreads",
    "GetAgentThread",
    "CreateAgentThread",
    "SendAgentMessage",
    "UseAgentTools",
    "DenyAgentTools",
    "CancelAgentCompletion",
    "RestoreThreadCheckpoint",
    "ArchiveAgentThread",
    "DeleteAgentThread",
  ]),
  ...rows("agents", "anyone", "handle", ["AckAgentEvents"], ONE_WAY),

  // Denied to everybody. [projects 8.3]
  ...rows("connection", "anyone", "refuse", [
    "GitRemoveWorktree",
    "GitRenameWorktree",
    "GitCreateArchiveCheckpoint",
    "GitRestoreArchiveCheckpoint",
  ], { refusal: ErrorCode.Forbidden }),
];

/**
 * The route of an envelope tag: a row of the table, or what follows from the schema for a message
 * that has none (a request is refused, anything else dropped). Undefined for an unknown tag.
 */
export class RouteTable {
  readonly #byTag: (Route | undefined)[] = [];

  constructor(table: readonly Route[], all: readonly MessageName[]) {
    for (const message of all) {
      const { response } = messageInfo(message);
      const treatment = response === undefined || SILENT.has(message) ? "drop" : "refuse";
      for (const route of rows("connection", "anyone", treatment, [message])) {
        this.#byTag[route.tag] = route;
      }
    }
    for (const route of table) this.#byTag[route.tag] = route;
  }

  find(tag: number): Route | undefined {
    return this.#byTag[tag];
  }
}
