/**
 * The table of forwarded requests as the specification has it, by the name of the test that compares
 * the routes with it: request, answer, and R for those who may read or W for those who may edit. The
 * two destructive git requests are W, as the specification recommends. [projects 8.2] [projects 8.2g]
 */
export const FORWARDED: Readonly<Record<string, string>> = {
  "[projects 8.2a] buffer and file requests go to the host, with the right and the answer of their row":
    `
    OpenBufferByPath OpenBufferResponse R
    OpenBufferById OpenBufferResponse R
    OpenBufferForSymbol OpenBufferForSymbolResponse R
    OpenNewBuffer OpenBufferResponse W
    SynchronizeBuffers SynchronizeBuffersResponse R
    SaveBuffer BufferSaved W
    ReloadBuffers ReloadBuffersResponse W
    FormatBuffers FormatBuffersResponse W
    OpenImageByPath OpenImageResponse R
    DownloadFileByPath DownloadFileResponse R
    FindSearchCandidates FindSearchCandidatesResponse/Ack R
  `,
  "[projects 8.2b] project tree requests go to the host, with the right and the answer of their row":
    `
    CreateProjectEntry ProjectEntryResponse W
    RenameProjectEntry ProjectEntryResponse W
    CopyProjectEntry ProjectEntryResponse W
    DeleteProjectEntry ProjectEntryResponse W
    ExpandProjectEntry ExpandProjectEntryResponse W
    ExpandAllForProjectEntry ExpandAllForProjectEntryResponse W
  `,
  "[projects 8.2c] language server requests go to the host, with the right and the answer of their row":
    `
    GetHover GetHoverResponse R
    GetDefinition GetDefinitionResponse R
    GetTypeDefinition GetTypeDefinitionResponse R
    GetReferences GetReferencesResponse R
    GetDocumentHighlights GetDocumentHighlightsResponse R
    GetDocumentSymbols GetDocumentSymbolsResponse R
    GetProjectSymbols GetProjectSymbolsResponse R
    InlayHints InlayHintsResponse R
    ResolveInlayHint ResolveInlayHintResponse R
    GetCodeLens GetCodeLensResponse W
    GetCodeActions GetCodeActionsResponse W
    ResolveCodeAction ResolveCodeActionResponse R
    ApplyCodeAction ApplyCodeActionResponse W
    ApplyCodeActionKind ApplyCodeActionKindResponse W
    GetCompletions GetCompletionsResponse W
    ApplyCompletionAdditionalEdits ApplyCompletionAdditionalEditsResponse W
    ResolveCompletionDocumentation ResolveCompletionDocumentationResponse W
    PrepareRename PrepareRenameResponse W
    PerformRename PerformRenameResponse W
    OnTypeFormatting OnTypeFormattingResponse W
    LinkedEditingRange LinkedEditingRangeResponse W
    MultiLspQuery MultiLspQueryResponse W
    GetColorPresentation GetColorPresentationResponse R
    ResolveDocumentLink ResolveDocumentLinkResponse R
    RegisterBufferWithLanguageServers Ack W
    RestartLanguageServers Ack W
    StopLanguageServers Ack W
    LanguageServerIdForName LanguageServerIdForNameResponse R
    LspExtExpandMacro LspExtExpandMacroResponse R
    LspExtOpenDocs LspExtOpenDocsResponse R
    LspExtRunnables LspExtRunnablesResponse W
    LspExtSwitchSourceHeader LspExtSwitchSourceHeaderResponse R
    LspExtGoToParentModule LspExtGoToParentModuleResponse R
    LspExtCancelFlycheck Ack R
    LspExtRunFlycheck Ack R
    LspExtClearFlycheck Ack R
  `,
  "[projects 8.2d] git requests go to the host, with the right and the answer of their row": `
    OpenUnstagedDiff OpenUnstagedDiffResponse R
    OpenUncommittedDiff OpenUncommittedDiffResponse R
    OpenCommitMessageBuffer OpenBufferResponse W
    BlameBuffer BlameBufferResponse W
    GitGetBranches GitBranchesResponse R
    GetDefaultBranch GetDefaultBranchResponse R
    GitCreateBranch Ack W
    GitChangeBranch Ack W
    UpdateGitBranch Ack W
    GetRemotes GetRemotesResponse R
    GitCreateRemote Ack W
    GitRemoveRemote Ack W
    GitShow GitCommitDetails R
    LoadCommitDiff LoadCommitDiffResponse R
    GitDiff GitDiffResponse W
    GetTreeDiff GetTreeDiffResponse W
    GetBlobContent GetBlobContentResponse W
    GitReset Ack W
    GitCheckoutFiles Ack W
    SetIndexText Ack W
    Stage Ack W
    Unstage Ack W
    Commit Ack W
    RunGitHook Ack W
    Stash Ack W
    StashPop Ack W
    StashDrop Ack W
    GitInit Ack W
    CheckForPushedCommits CheckForPushedCommitsResponse W
    GitGetHeadSha GitGetHeadShaResponse R
    GitEditRef Ack W
    GetCommitData GetCommitDataResponse R
    GetInitialGraphData GetInitialGraphDataResponse R-stream
    SearchCommits SearchCommitsResponse R-stream
    GitGetWorktrees GitWorktreesResponse R
    GitWorktreeCreatedAt GitWorktreeCreatedAtResponse R
    GitCreateWorktree Ack W
    GitRepairWorktrees Ack W
  `,
  "[projects 8.2e] ToggleBreakpoint goes to the host, with the right and the answer of their row": `
    ToggleBreakpoint Ack W
  `,
  "[projects 8.2f] context requests of 2025 go to the host, with the right and the answer of their row":
    `
    OpenContext OpenContextResponse W
    CreateContext CreateContextResponse W
    SynchronizeContexts SynchronizeContextsResponse W
  `,
};
