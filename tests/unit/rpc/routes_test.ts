import { assert, assertEquals } from "@std/assert";
import {
  envelopeMessages,
  fieldNumber,
  messageInfo,
  type MessageName,
} from "../../../proto/mod.ts";
import { ErrorCode } from "../../../rpc/errors.ts";
import { type Route, routes, RouteTable } from "../../../rpc/routes.ts";
import { FORWARDED } from "./forwarded_requests.ts";

const table = new RouteTable(routes, envelopeMessages().map(({ name }) => name));

function routeOf(message: string): Route {
  const route = table.find(messageInfo(message as MessageName).tag as number);
  assert(route !== undefined, `${message} has no route`);
  assertEquals(route.message, message);
  return route;
}

/** What the table says of a message, in one line: receiver, access, treatment, answers. */
function said(message: string): string {
  const { to, access, treatment, answers } = routeOf(message);
  return `${to}, ${access}, ${treatment}, ${answers.join("/")}`;
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

for (const [name, rows] of Object.entries(FORWARDED)) {
  Deno.test(name, () => {
    for (const row of rows.trim().split("\n")) {
      const [message = "", answers = "", right = ""] = words(row);
      const access = right.startsWith("R") ? "reader" : "editor";
      const treatment = right === "R-stream" ? "ask host for a stream" : "ask host";
      assertEquals(said(message), `project, ${access}, ${treatment}, ${answers}`, message);
    }
  });
}

Deno.test("[projects 8.2] nothing but the table's requests is forwarded to the host", () => {
  const listed = Object.values(FORWARDED).flatMap((rows) =>
    rows.trim().split("\n").map((row) => words(row)[0])
  );
  const asked = routes.filter(({ treatment }) => treatment.startsWith("ask host"))
    .map(({ message }) => message);
  // 2025's hosts serve GetDeclaration, which is a safe extension. [projects 8.7]
  assertEquals(asked.toSorted(), [...listed, "GetDeclaration"].toSorted());
});

Deno.test("[projects 8.7c] GetDeclaration is forwarded as a read request", () => {
  assertEquals(said("GetDeclaration"), "project, reader, ask host, GetDeclarationResponse");
});

Deno.test("[projects 8.2g] git reset and checkout of files need the edit right", () => {
  assertEquals(said("GitReset"), "project, editor, ask host, Ack");
  assertEquals(said("GitCheckoutFiles"), "project, editor, ask host, Ack");
});

Deno.test("[projects 8.3] four git requests are refused with Forbidden, whatever they say", () => {
  for (
    const message of words(
      "GitRemoveWorktree GitRenameWorktree GitCreateArchiveCheckpoint GitRestoreArchiveCheckpoint",
    )
  ) {
    const route = routeOf(message);
    assertEquals([route.treatment, route.refusal], ["refuse", ErrorCode.Forbidden], message);
    assertEquals(route.access, "anyone");
    assertEquals(route.routing, { id: 0, peer: 0, first: 0, last: 0, inner: 0, innerOnly: 0 });
  }
});

Deno.test("[projects 8.4] the two streaming requests have the type of their items", () => {
  assertEquals(
    routes.filter(({ treatment }) => treatment === "ask host for a stream")
      .map(({ message, answers }) => [message, ...answers]),
    [
      ["GetInitialGraphData", "GetInitialGraphDataResponse"],
      ["SearchCommits", "SearchCommitsResponse"],
    ],
  );
});

Deno.test("[projects 8.5] ToggleLspLogs is told to the host by editors and answered at once", () => {
  assertEquals(said("ToggleLspLogs"), "project, editor, tell host, Ack");
});

Deno.test("[projects 8.6] an LspQuery is looked into: its variants decide who may send it", () => {
  assertEquals(said("LspQuery"), "project, reader, handle, Ack");
  assertEquals(said("LspQueryResponse"), "project, host, handle, ");
  const { routing } = routeOf("LspQuery");
  for (const [name, number] of [["getReferences", 3], ["getDocumentLinks", 19]] as const) {
    assertEquals(fieldNumber("LspQuery", name), number);
    assert(routing.first <= number && number <= routing.last, name);
  }
  assert(routing.first > fieldNumber("LspQuery", "lspRequestId"));
});

Deno.test("[projects 8.7] requests without a handler are refused, never forwarded", () => {
  const both = `Push Pull Fetch AskPassRequest GetPermalinkToLine CancelLanguageServerWork
    TaskContextForLocation ListToolchains ActivateToolchain ActiveToolchain GetDebugAdapterBinary
    RunDebugLocators GetPathMetadata AddWorktree OpenServerSettings LanguageServerPromptRequest
    GetSignatureHelp GetImplementation RejoinRemoteProjects`;
  const of2026 = `GitRenameBranch GitDeleteBranch StashApply GitClone GitCreateCheckpoint
    GitRestoreCheckpoint GitCompareCheckpoints GitDiffCheckpoints ResolveToolchain
    GetDirectoryEnvironment GetProcesses GetAgentServerCommand GetContextServerCommand TrustWorktrees
    RestrictWorktrees AllocateWorktreeId SpawnKernel KillKernel GetRemoteProfilingData`;
  for (const message of [...words(both), ...words(of2026)]) {
    const route = routeOf(message);
    assertEquals([route.treatment, route.refusal], ["refuse", ErrorCode.Internal], message);
  }
});

Deno.test("[projects 8.7a] plain messages without a route are dropped", () => {
  const messages = `CloseBuffer Toast HideToast LogToDebugConsole CreateFileForPeer
    UpdateUserSettings ExternalAgentsUpdated ExternalAgentLoadingStatusUpdated
    NewExternalAgentVersionAvailable`;
  for (const message of words(messages)) {
    assertEquals([message, routeOf(message).treatment], [message, "drop"]);
  }
});

Deno.test("[projects 8.7b] an unknown tag has no route", () => {
  assertEquals([0, 1, 2, 3, 266, 9_999].map((tag) => table.find(tag)), Array(6).fill(undefined));
});

Deno.test("[rooms 5.7] every request that a client can send is handled, forwarded or refused", () => {
  for (const { name, tag, response } of envelopeMessages()) {
    const route = table.find(tag as number);
    assertEquals(route?.message, name);
    // Clients send DeclineCall without waiting. [rooms 6.6]
    if (response !== undefined && name !== "DeclineCall") assert(route?.treatment !== "drop", name);
    if (response === undefined && !routes.includes(route as Route)) {
      assertEquals(route?.treatment, "drop", name);
    }
  }
});

Deno.test("[projects 9.2] buffers and images go from the host to one collaborator", () => {
  for (const message of ["CreateBufferForPeer", "CreateImageForPeer"] as const) {
    assertEquals(said(message), "project, host, tell peer, ", message);
    assertEquals(routeOf(message).routing.peer, fieldNumber(message, "peerId"));
  }
});

Deno.test("[projects 9.3] an UpdateBuffer needs the read right, its operations may need more", () => {
  assertEquals(said("UpdateBuffer"), "project, reader, handle, Ack");
  const { routing } = routeOf("UpdateBuffer");
  assertEquals(routing.inner, fieldNumber("UpdateBuffer", "operations"));
  assertEquals(routing.innerOnly, fieldNumber("Operation", "updateSelections"));
});

Deno.test("[projects 9.6] search: asked of the host, its chunks of a peer, its end told to the host", () => {
  assertEquals(
    said("FindSearchCandidates"),
    "project, reader, ask host, FindSearchCandidatesResponse/Ack",
  );
  assertEquals(said("FindSearchCandidatesChunk"), "project, host, ask peer, Ack");
  assertEquals(
    routeOf("FindSearchCandidatesChunk").routing.peer,
    fieldNumber("FindSearchCandidatesChunk", "peerId"),
  );
  assertEquals(said("FindSearchCandidatesCancelled"), "project, reader, tell host, ");
});

Deno.test("[projects 10] broadcasts come from the host, go to all others and are not answered", () => {
  const messages = `UpdateBufferFile BufferReloaded BufferSaved UpdateDiffBases RefreshInlayHints
    RefreshCodeLens BreakpointsForFile AdvertiseContexts RefreshSemanticTokens
    PullWorkspaceDiagnostics LanguageServerLog`;
  for (const message of words(messages)) {
    assertEquals([message, said(message)], [message, "project, host, tell others, "]);
  }
});

Deno.test("[projects 7] what a host tells about its project is taken from the host only", () => {
  const requests = "UpdateProject UpdateWorktree UpdateRepository RemoveRepository";
  const messages = `UnshareProject UpdateDiagnosticSummary UpdateWorktreeSettings
    StartLanguageServer`;
  for (const message of words(requests)) {
    assertEquals([message, said(message)], [message, "project, host, handle, Ack"]);
  }
  for (const message of words(messages)) {
    assertEquals([message, said(message)], [message, "project, host, handle, "]);
  }
  assertEquals(said("UpdateLanguageServer"), "project, collaborator, handle, ");
});

Deno.test("[projects 11a] UpdateContext is handled in the project, its operation decides the right", () => {
  assertEquals(said("UpdateContext"), "project, reader, handle, ");
});

Deno.test("[rooms 13] each message of the area has its direction and its answer", () => {
  const rows = `
    CreateRoom            user        CreateRoomResponse
    LeaveRoom             user        Ack
    JoinRoom              room        JoinRoomResponse
    RejoinRoom            room        RejoinRoomResponse
    Call                  room        Ack
    CancelCall            room        Ack
    SetRoomParticipantRole room       Ack
    UpdateParticipantLocation room    Ack
    Follow                room        FollowResponse
    ShareProject          room        ShareProjectResponse
    JoinProject           project     JoinProjectResponse
    Ping                  connection  Ack
    GetPrivateUserInfo    connection  GetPrivateUserInfoResponse
    GetLlmToken           connection  GetLlmTokenResponse
    AcceptTermsOfService  connection  AcceptTermsOfServiceResponse
    GetUsers              connection  UsersResponse
    FuzzySearchUsers      connection  UsersResponse
    RequestContact        user        Ack
    RespondToContactRequest user      Ack
    RemoveContact         user        Ack
    GetNotifications      user        GetNotificationsResponse
    MarkNotificationRead  user        Ack`;
  for (const row of rows.trim().split("\n")) {
    const [message = "", to = "", answers = ""] = words(row);
    const route = routeOf(message);
    assertEquals([message, route.to, route.treatment, route.answers.join("/")], [
      message,
      to,
      "handle",
      answers,
    ]);
  }
  const oneWay = "DeclineCall Unfollow UpdateFollowers LeaveProject UnshareProject";
  for (const message of words(oneWay)) {
    assertEquals([message, ...routeOf(message).answers], [message]);
    assertEquals(routeOf(message).treatment, "handle");
  }
  const fromServer = `Hello ShowContacts UpdateContacts UpdateUserPlan UpdateInviteInfo RoomUpdated
    CallCanceled UpdateProjectCollaborator RemoveProjectCollaborator AddProjectCollaborator`;
  for (const message of words(fromServer)) {
    assertEquals([message, routeOf(message).treatment], [message, "drop"]);
  }
  // A request of the server's: a client that sends it has lost its mind, and is answered still.
  assertEquals(routeOf("IncomingCall").treatment, "refuse");
});

Deno.test("[rooms 11.1] the field with the leader routes Follow and Unfollow", () => {
  for (const message of ["Follow", "Unfollow"] as const) {
    assertEquals(routeOf(message).routing.peer, fieldNumber(message, "leaderId"));
  }
});

Deno.test("[design 1.1] no message has two rows, and each row's answers have tags", () => {
  const names = routes.map(({ message }) => message);
  assertEquals(names.length, new Set(names).size);
  for (const { message, tag, answers, answerTags } of routes) {
    assertEquals(tag, messageInfo(message).tag);
    assertEquals(answerTags, answers.map((name) => messageInfo(name).tag as number), message);
  }
});

Deno.test("[design 1.1] what is about a room, a project or a channel names it in the field that routes it", () => {
  for (const { message, to, routing } of routes) {
    const names: Partial<Record<typeof to, string>> = {
      room: "roomId",
      project: "projectId",
      channel: "channelId",
    };
    const name = names[to];
    if (name === undefined) {
      assertEquals(routing.id, 0, message);
      continue;
    }
    // These name it otherwise. The id of notes is their channel's.
    const others: Partial<Record<typeof message, string>> = {
      JoinRoom: "id",
      RejoinRoom: "id",
      AckBufferOperation: "bufferId",
    };
    assertEquals(routing.id, fieldNumber(message, (others[message] ?? name) as never), message);
  }
});

Deno.test("[transport 2.5.4] two requests are answered with a stream, no others", () => {
  const streams = routes.filter(({ treatment }) => treatment === "ask host for a stream");
  assertEquals(streams.map(({ message }) => message).sort(), [
    "GetInitialGraphData",
    "SearchCommits",
  ]);
});
