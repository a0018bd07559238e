import type { MessageName } from "../../proto/mod.ts";

/** A request that is forwarded to the host, with the answers that it may have. */
export interface ForwardedRow {
  /** The rule that lists it. */
  readonly rule: string;
  readonly request: MessageName;
  /** Whether reading is enough, or the right to edit is needed. */
  readonly right: "read" | "edit";
  readonly answers: readonly MessageName[];
}

function rows(
  rule: string,
  right: "read" | "edit",
  table: Readonly<Partial<Record<MessageName, MessageName | readonly MessageName[]>>>,
): ForwardedRow[] {
  return Object.entries(table).map(([request, answers]) => ({
    rule,
    request: request as MessageName,
    right,
    answers: [answers].flat(),
  }));
}

/**
 * The specification's table of forwarded requests, of both years. Streams and requests with rules of
 * their own are not in it; the two destructive git requests need the right to edit. [projects 8.2]
 */
export const forwardedRows: readonly ForwardedRow[] = [
  ...rows("8.2a", "read", {
    OpenBufferByPath: "OpenBufferResponse",
    OpenBufferById: "OpenBufferResponse",
    OpenBufferForSymbol: "OpenBufferForSymbolResponse",
    SynchronizeBuffers: "SynchronizeBuffersResponse",
    OpenImageByPath: "OpenImageResponse",
    DownloadFileByPath: "DownloadFileResponse",
    FindSearchCandidates: ["FindSearchCandidatesResponse", "Ack"],
  }),
  ...rows("8.2a", "edit", {
    OpenNewBuffer: "OpenBufferResponse",
    SaveBuffer: "BufferSaved",
    ReloadBuffers: "ReloadBuffersResponse",
    FormatBuffers: "FormatBuffersResponse",
  }),
  ...rows("8.2b", "edit", {
    CreateProjectEntry: "ProjectEntryResponse",
    RenameProjectEntry: "ProjectEntryResponse",
    CopyProjectEntry: "ProjectEntryResponse",
    DeleteProjectEntry: "ProjectEntryResponse",
    ExpandProjectEntry: "ExpandProjectEntryResponse",
    ExpandAllForProjectEntry: "ExpandAllForProjectEntryResponse",
  }),
  ...rows("8.2c", "read", {
    GetHover: "GetHoverResponse",
    GetDefinition: "GetDefinitionResponse",
    GetTypeDefinition: "GetTypeDefinitionResponse",
    GetReferences: "GetReferencesResponse",
    GetDocumentHighlights: "GetDocumentHighlightsResponse",
    GetDocumentSymbols: "GetDocumentSymbolsResponse",
    GetProjectSymbols: "GetProjectSymbolsResponse",
    InlayHints: "InlayHintsResponse",
    ResolveInlayHint: "ResolveInlayHintResponse",
    ResolveCodeAction: "ResolveCodeActionResponse",
    GetColorPresentation: "GetColorPresentationResponse",
    ResolveDocumentLink: "ResolveDocumentLinkResponse",
    LanguageServerIdForName: "LanguageServerIdForNameResponse",
    LspExtExpandMacro: "LspExtExpandMacroResponse",
    LspExtOpenDocs: "LspExtOpenDocsResponse",
    LspExtSwitchSourceHeader: "LspExtSwitchSourceHeaderResponse",
    LspExtGoToParentModule: "LspExtGoToParentModuleResponse",
    LspExtCancelFlycheck: "Ack",
    LspExtRunFlycheck: "Ack",
    LspExtClearFlycheck: "Ack",
  }),
  ...rows("8.2c", "edit", {
    GetCodeLens: "GetCodeLensResponse",
    GetCodeActions: "GetCodeActionsResponse",
    ApplyCodeAction: "ApplyCodeActionResponse",
    ApplyCodeActionKind: "ApplyCodeActionKindResponse",
    GetCompletions: "GetCompletionsResponse",
    ApplyCompletionAdditionalEdits: "ApplyCompletionAdditionalEditsResponse",
    ResolveCompletionDocumentation: "ResolveCompletionDocumentationResponse",
    PrepareRename: "PrepareRenameResponse",
    PerformRename: "PerformRenameResponse",
    OnTypeFormatting: "OnTypeFormattingResponse",
    LinkedEditingRange: "LinkedEditingRangeResponse",
    MultiLspQuery: "MultiLspQueryResponse",
    RegisterBufferWithLanguageServers: "Ack",
    RestartLanguageServers: "Ack",
    StopLanguageServers: "Ack",
    LspExtRunnables: "LspExtRunnablesResponse",
  }),
  ...rows("8.2d", "read", {
    OpenUnstagedDiff: "OpenUnstagedDiffResponse",
    OpenUncommittedDiff: "OpenUncommittedDiffResponse",
    GitGetBranches: "GitBranchesResponse",
    GetDefaultBranch: "GetDefaultBranchResponse",
    GetRemotes: "GetRemotesResponse",
    GitShow: "GitCommitDetails",
    LoadCommitDiff: "LoadCommitDiffResponse",
    GitGetHeadSha: "GitGetHeadShaResponse",
    GetCommitData: "GetCommitDataResponse",
    GitGetWorktrees: "GitWorktreesResponse",
    GitWorktreeCreatedAt: "GitWorktreeCreatedAtResponse",
  }),
  ...rows("8.2d", "edit", {
    OpenCommitMessageBuffer: "OpenBufferResponse",
    BlameBuffer: "BlameBufferResponse",
    GitCreateBranch: "Ack",
    GitChangeBranch: "Ack",
    UpdateGitBranch: "Ack",
    GitCreateRemote: "Ack",
    GitRemoveRemote: "Ack",
    GitDiff: "GitDiffResponse",
    GetTreeDiff: "GetTreeDiffResponse",
    GetBlobContent: "GetBlobContentResponse",
    GitReset: "Ack",
    GitCheckoutFiles: "Ack",
    SetIndexText: "Ack",
    Stage: "Ack",
    Unstage: "Ack",
    Commit: "Ack",
    RunGitHook: "Ack",
    Stash: "Ack",
    StashPop: "Ack",
    StashDrop: "Ack",
    GitInit: "Ack",
    CheckForPushedCommits: "CheckForPushedCommitsResponse",
    GitEditRef: "Ack",
    GitCreateWorktree: "Ack",
    GitRepairWorktrees: "Ack",
  }),
  ...rows("8.2e", "edit", {
    ToggleBreakpoint: "Ack",
  }),
  ...rows("8.2f", "edit", {
    OpenContext: "OpenContextResponse",
    CreateContext: "CreateContextResponse",
    SynchronizeContexts: "SynchronizeContextsResponse",
  }),
];
