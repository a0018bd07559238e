/** The things that the admin API takes and gives. */
import { z } from "zod";

/** Unix milliseconds as RFC 3339. */
export function time(at: number): string {
  return new Date(at).toISOString();
}

/** The same for what may not have happened. */
export function timeOrNull(at: number | null): string | null {
  return at === null ? null : time(at);
}

const dateTime = z.iso.datetime();
const userId = z.int().positive().max(2 ** 31 - 1);

/** A number in a path or a query. */
export const number = z.string().regex(/^[1-9]\d{0,14}$/, "must be a positive whole number")
  .transform(Number).meta({ type: "integer", minimum: 1 });

/** How many there are on a page. */
export const limit = z.string().regex(/^\d{1,3}$/, "must be from 1 to 200").transform(Number)
  .pipe(z.int().min(1).max(200)).default(50)
  .meta({ type: "integer", minimum: 1, maximum: 200, default: 50 });

export const User = z.strictObject({
  id: userId,
  login: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  admin: z.boolean(),
  staff: z.boolean().nullable().describe("null leaves it to the setting STAFF"),
  disabled_at: dateTime.nullable(),
  created_at: dateTime,
  connected_once: z.boolean(),
  metrics_id: z.string(),
  connections: z.int().describe("open connections now"),
}).meta({ id: "User" });

export const Users = z.strictObject({
  users: z.array(User),
  next: z.int().nullable().describe("`after` of the next page; null behind the last one"),
}).meta({ id: "Users" });

const login = z.string().meta({ description: "letters, digits, hyphens; unique in any case" });
const email = z.email().max(320);
const name = z.string().max(200);

export const NewUser = z.strictObject({
  login,
  name: name.nullable().exactOptional(),
  email: email.nullable().exactOptional(),
  admin: z.boolean().exactOptional(),
}).meta({ id: "NewUser" });

export const UserChange = z.strictObject({
  name: name.nullable().exactOptional(),
  email: email.nullable().exactOptional(),
  admin: z.boolean().exactOptional(),
  staff: z.boolean().nullable().exactOptional(),
  disabled: z.boolean().exactOptional(),
}).meta({ id: "UserChange", description: "What is left out stays." });

export const AccessToken = z.strictObject({
  id: z.int(),
  user_id: userId,
  label: z.string().nullable(),
  impersonator_id: userId.nullable().describe("the administrator who acts as the user with it"),
  created_at: dateTime,
  last_used_at: dateTime.nullable(),
}).meta({ id: "AccessToken" });

export const AccessTokens = z.strictObject({ tokens: z.array(AccessToken) })
  .meta({ id: "AccessTokens" });

export const CreatedToken = AccessToken.extend({
  token: z.string().describe("the only time that it can be seen"),
}).meta({ id: "CreatedToken" });

export const NewToken = z.strictObject({ label: z.string().max(100).nullable().exactOptional() })
  .meta({ id: "NewToken" });

export const InvitationLink = z.strictObject({
  url: z.string().describe("good once; it lets its holder choose the account's password"),
  expires_at: dateTime,
}).meta({ id: "InvitationLink" });

export const Connection = z.strictObject({
  id: z.string().describe("the peer id: start of the server and number, as 1:5"),
  user_id: userId,
  login: z.string().nullable(),
  app_version: z.string(),
  client_address: z.string().nullable(),
  connected_at: dateTime,
  token_id: z.int().nullable(),
  impersonator_id: userId.nullable(),
}).meta({ id: "Connection" });

export const Connections = z.strictObject({ connections: z.array(Connection) })
  .meta({ id: "Connections" });

const role = z.enum(["admin", "member", "talker", "guest", "banned"]);

export const Project = z.strictObject({
  id: z.int(),
  room_id: z.int(),
  host_user_id: userId,
  worktrees: z.array(z.string()).describe("names of the shared folders"),
  guest_user_ids: z.array(userId),
}).meta({ id: "Project" });

export const Projects = z.strictObject({ projects: z.array(Project) }).meta({ id: "Projects" });

export const Room = z.strictObject({
  id: z.int(),
  channel_id: z.int().nullable(),
  participants: z.array(z.strictObject({
    user_id: userId,
    connection_id: z.string().nullable().describe("null while the user is being rung"),
    role: role.nullable(),
  })),
  projects: z.array(Project),
}).meta({ id: "Room" });

export const Rooms = z.strictObject({ rooms: z.array(Room) }).meta({ id: "Rooms" });

const visibility = z.enum(["public", "members"]);

export const Channel = z.strictObject({
  id: z.int(),
  root_id: z.int(),
  parent_id: z.int().nullable(),
  name: z.string(),
  visibility,
  created_at: dateTime,
  participant_user_ids: z.array(userId).describe("who is in its call"),
}).meta({ id: "Channel" });

export const Channels = z.strictObject({ channels: z.array(Channel) }).meta({
  id: "Channels",
  description: "Each tree from its root down, in the order of the paths.",
});

export const NewChannel = z.union([
  z.strictObject({ name: z.string().max(200), parent_id: z.int().positive() }),
  z.strictObject({
    name: z.string().max(200),
    owner_id: userId.describe("who becomes the admin of the new tree"),
  }),
]).meta({
  id: "NewChannel",
  description: "Below another channel, or a root with its first admin.",
});

export const ChannelChange = z.strictObject({
  name: z.string().max(200).exactOptional(),
  visibility: visibility.exactOptional(),
  parent_id: z.int().positive().exactOptional(),
}).meta({ id: "ChannelChange", description: "What is left out stays; moves stay within a tree." });

export const Member = z.strictObject({
  user_id: userId,
  login: z.string().nullable(),
  role,
  accepted: z.boolean().describe("false for an invitation"),
}).meta({ id: "Member" });

export const Members = z.strictObject({ root_id: z.int(), members: z.array(Member) })
  .meta({ id: "Members" });

export const MemberChange = z.strictObject({ role }).meta({ id: "MemberChange" });

export const AuditEntry = z.strictObject({
  id: z.int(),
  at: dateTime,
  actor: z.strictObject({
    kind: z.enum(["user", "api token", "command line", "payment provider"]),
    id: userId.nullable(),
    login: z.string().nullable(),
  }),
  action: z.string(),
  target: z.string().nullable().describe("an address, as /users/4"),
  target_name: z.string().nullable(),
  client_address: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
}).meta({ id: "AuditEntry" });

export const AuditEntries = z.strictObject({
  entries: z.array(AuditEntry).describe("newest first"),
  next: z.int().nullable().describe("`before` of the next page; null behind the last one"),
}).meta({ id: "AuditEntries" });

export const Session = z.strictObject({
  kind: z.enum(["user", "api token"]),
  user_id: userId.nullable(),
  login: z.string().nullable(),
  csrf_token: z.string().nullable().describe("for x-csrf-token, of a browser only"),
}).meta({ id: "Session" });

export const ServerStatus = z.strictObject({
  version: z.string(),
  mode: z.enum(["all", "api", "collab"]),
  epoch: z.int().describe("number of this start"),
  connections: z.int(),
  users: z.int().describe("with an actor"),
  rooms: z.int(),
  projects: z.int(),
  draining: z.boolean(),
}).meta({ id: "ServerStatus" });

export const ExtensionVersion = z.strictObject({
  id: z.string(),
  version: z.string(),
  name: z.string(),
  schema_version: z.int(),
  wasm_api_version: z.string().nullable(),
  provides: z.array(z.string()),
  published_at: z.iso.datetime({ offset: true }),
  downloads: z.int().describe("of this version"),
  yanked_at: dateTime.nullable(),
}).meta({ id: "ExtensionVersion" });

export const ExtensionVersions = z.strictObject({ versions: z.array(ExtensionVersion) })
  .meta({ id: "ExtensionVersions" });

export const ExtensionChange = z.strictObject({
  yanked: z.boolean().describe("out of the lists; who names the version still gets it"),
}).meta({ id: "ExtensionChange" });
