/** What actors know of each other: references to look up, and the messages that they take. */
export type { ConnectionRef, ConnectionWatcher, Inbound } from "./connection.ts";
export type { ChannelJoin, Contact, NotificationKind, UserMessage, UserRef } from "./user.ts";
export type { RoleChange, RoomMessage, RoomRef } from "./room.ts";
export type { ProjectRef } from "./project.ts";
export type { ChannelMessage, ChannelRef, NotesStanding, TreePart } from "./channel.ts";
export type { ChatDraft, ChatMessage, ChatRef } from "./chat.ts";
export type { NotesMessage, NotesRef } from "./notes.ts";
export type {
  AgentDeskRef,
  AgentRequest,
  EventResult,
  FoldedMessage,
  IncomingEvent,
  ThreadEvent,
  ThreadMessage,
  ThreadRef,
} from "./agents.ts";
export type { Answer, ChannelOrder, ProjectReport, RoomReport, TreeReport } from "./operators.ts";
