/**
 * All kinds of steps, by what they are about, with how often each is chosen relative to the others.
 * A part of the product that the simulation shall cover gets a theme here and a file of actions.
 */
export const THEMES = {
  people: {
    requestContact: 3,
    respondContact: 3,
    removeContact: 1,
    readNotification: 2,
  },
  rooms: {
    createRoom: 3,
    call: 8,
    answerCall: 8,
    declineCall: 1,
    cancelCall: 1,
    leaveRoom: 2,
    setLocation: 2,
    setRole: 2,
    follow: 2,
    unfollow: 1,
  },
  hosts: {
    share: 4,
    unshare: 1,
    changeTree: 14,
    bulkTree: 1,
    changeWorktrees: 2,
    setSettings: 5,
    setDiagnostics: 5,
    setLanguageServer: 4,
    setRepository: 5,
    removeRepository: 1,
  },
  guests: {
    joinProject: 10,
    leaveProject: 2,
    openBuffer: 10,
    createEntry: 2,
    askLanguageServer: 3,
    searchCommits: 3,
    abandonStream: 1,
    searchProject: 2,
  },
  text: {
    edit: 30,
    undo: 4,
    save: 5,
  },
  channels: {
    createChannel: 6,
    renameChannel: 3,
    moveChannel: 3,
    deleteChannel: 1,
    showChannel: 4,
    reorderChannel: 2,
    inviteMember: 8,
    answerInvitation: 9,
    removeMember: 2,
    setMemberRole: 5,
    listMembers: 2,
    joinChannelCall: 5,
  },
  notes: {
    openNotes: 12,
    closeNotes: 3,
    reopenNotes: 2,
    editNotes: 26,
    undoNotes: 4,
    selectInNotes: 4,
    ackNotes: 2,
  },
  chat: {
    joinChat: 12,
    leaveChat: 2,
    say: 22,
    editMessage: 4,
    removeMessage: 4,
    ackMessage: 3,
    readPage: 3,
    readById: 2,
  },
  faults: {
    drop: 6,
    stall: 2,
    unstall: 3,
    restart: 1,
    kill: 2,
    slowStore: 3,
    refuse: 1,
    poison: 1,
    longWait: 1,
  },
} as const;

export type Theme = keyof typeof THEMES;

/** The kinds of one theme. */
export type KindsOf<T extends Theme> = keyof typeof THEMES[T];

/** What one step does; what it does it to is chosen by its numbers when it is run. */
export type StepKind = { [T in Theme]: KindsOf<T> }[Theme];

/** Each kind with its theme and its weight within all. */
export const kindsWithWeights = (Object.keys(THEMES) as Theme[]).flatMap((theme) =>
  Object.entries(THEMES[theme]).map(([kind, weight]) => ({
    theme,
    kind: kind as StepKind,
    weight: weight as number,
  }))
);

const kinds: ReadonlySet<string> = new Set(kindsWithWeights.map(({ kind }) => kind));

export function isStepKind(text: string): text is StepKind {
  return kinds.has(text);
}
