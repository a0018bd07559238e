/**
 * Writes `proto/*.proto` from `proto/wire.json`.
 *
 *     deno run -A scripts/gen_proto.ts [--check]
 */
import protobuf from "protobufjs";
import { main, syncFolder } from "./generated_files.ts";

const PROTO = new URL("../proto/", import.meta.url);

/** Envelope tags below this are Zed's. */
const FIRST_PARLEY_TAG = 10_000;

/**
 * Which file a message or enum goes to: the first pattern that fits its outermost name. The files
 * must not import each other in a circle, so what several of them need comes first.
 */
const AREAS: readonly (readonly [area: string, outermostName: RegExp])[] = [
  [
    "core",
    /^(Hello|Ping|Ack|Error|ErrorCode|EndStream|Test|FlushBuffered.*|PeerId|Timestamp|Nonce|ProjectPath|PathKey|PointUtf16|File|ViewId|PanelId|ChannelRole|Collaborator)$/,
  ],
  ["notification", /Notification/],
  ["contact", /Contact/],
  [
    "user",
    /^(User|Get(Private)?Users?(Info.*)?|FuzzySearchUsers|UsersResponse|Update(InviteInfo|UserPlan)|Plan|Subscription.*|UsageLimit|AcceptTermsOfService.*)$/,
  ],
  ["debugger", /^Dap|Debug|Breakpoint|^Variables|^ValueFormat$|^SteppingGranularity$|^TcpHost$/],
  ["git", /Git|Branch|Commit|Stash|Checkpoint|Blame|Diff(Bases)?(Response)?$|TreeDiff|BlobContent/],
  ["git", /^(Repository|Status)Entry$|Repository$|^(Stage|Unstage|Push|Fetch|Pull|Worktree)$/],
  [
    "git",
    /Remotes(Response)?$|^RemoteMessage|^AskPass|^SetIndexText|Permalink|InitialGraph|^UpstreamTracking$/,
  ],
  [
    "chat",
    /^(ChannelMessage(Id|Sent|Update)?|ChatMention|.*ChannelChat.*|(?!Invite)\w+ChannelMessages?(Response|ById)?)$/,
  ],
  ["channel", /Channel|AckBufferOperation/],
  ["image_and_file", /Image|^(Create)?File(ForPeer|State|Chunk)$|^DownloadFile/],
  ["search", /Search(Query|Candidates)/],
  ["toolchain", /Toolchain/],
  [
    "task",
    /^Task|^Shell$|^SpawnInTerminal$|(Reveal|Hide)Strategy|Kernel|^(Get)?Process(es|Info)|Environment$|^System$/,
  ],
  [
    "ai",
    /^(Advertise|Create|Open|Synchronize|Update)?Contexts?(Response|Metadata|Message.*|Operation|Version)?$|^SlashCommand|^ThoughtProcess|^LanguageModel|LlmToken|ApiKey|Agent|ContextServer/,
  ],
  [
    "language_server",
    /LanguageServer|LspLog|^(Start|Restart|Stop)LanguageServer|^LspWork|^LspDisk|^(Log|Trace|Rpc)Message$|^ProgressToken$|^Server(Health|Removed|BinaryStatus|Metadata.*)$|^StatusUpdate$|DiagnosticSummary|^RegisteredForBuffer$|^LspLogTrace$/,
  ],
  [
    "buffer",
    /^(Operation|Anchor|AnchorRange|Bias|LineEnding|CursorShape|Selection|Range|Location|Diagnostic|UpdateDiagnostics|VectorClockEntry|Undo.*|Transaction|ProjectTransaction|LamportTimestamp|Editor.*|Excerpt.*|PathExcerpts)$/,
  ],
  [
    "buffer",
    /^((Open|Update|Create|Save|Close|Reload|Synchronize)(New)?Buffers?|Buffer)(?!ForSymbol|FormatRanges)/,
  ],
  [
    "lsp",
    /Lsp|Definition|Declaration|Implementation|References|Highlight|Symbol|InlayHint|Completion|Code(Action|Lens)|Signature|Documentation|Parameter|LabelOffsets|Hover|Rename(Response)?$|OnTypeFormatting|LinkedEditing|ResolveState|MarkupContent|MarkupKind|Format(Buffers|Trigger)|LocationLink|DocumentLink|SemanticTokens|FormatRanges|Color|TextEdit|Diagnostics|FoldingRanges/,
  ],
  [
    "worktree",
    /^(UpdateWorktree|Entry|EntryInfo|(Add|Remove)Worktree.*|\w*PathMetadata.*|WorktreeMetadata|ListRemoteDirectory.*|\w+ProjectEntry\w*|ProjectEntryResponse|UpdateWorktreeSettings|LocalSettingsKind|TrustWorktrees|RestrictWorktrees|PathTrust|AllocateWorktreeId.*)$/,
  ],
  ["project", /Project|^Collaborator$|^RejoinWorktree$/],
  ["follow", /^Follow$|^FollowResponse$|^UpdateFollowers$|^Unfollow$|View$/],
  ["room", /Room|Participant|^Call|^IncomingCall|Call$|^LiveKit|^Follower$/],
  ["misc", /^/],
];

interface WireMessage {
  readonly fields: readonly string[];
  readonly envelope_tag?: number;
  readonly envelope_field?: string;
  readonly priority?: string;
  readonly response?: string;
  readonly entity?: string;
  readonly only?: string;
  readonly changed?: readonly string[];
}

interface Wire {
  readonly package: string;
  readonly envelope: { readonly fields: readonly string[] };
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly messages: Readonly<Record<string, WireMessage>>;
}

interface WireField {
  readonly declaration: string;
  readonly types: readonly string[];
  readonly oneof: string | undefined;
  readonly only: string | undefined;
}

/** Writes the files, or with `check` only compares them. Returns the paths of those that differ. */
export async function run(check: boolean): Promise<readonly string[]> {
  const wire = JSON.parse(await Deno.readTextFile(new URL("wire.json", PROTO))) as Wire;
  const files = new Map<string, string>();
  for (const [area, names] of namesByArea(wire)) {
    files.set(`${area}.proto`, areaFile(wire, area, names));
  }
  files.set("envelope.proto", envelopeFile(wire, await parleyMessages()));
  refuseImportCycles(files);
  return await syncFolder(PROTO, ".proto", files, check);
}

function areaOf(name: string): string {
  const outermost = name.split(".", 1)[0] as string;
  const area = AREAS.find(([, pattern]) => pattern.test(outermost));
  if (area === undefined) throw new Error(`No area for ${name}`);
  return area[0];
}

/** Outermost names of messages and enums, by area, in the order of wire.json. */
function namesByArea(wire: Wire): Map<string, string[]> {
  const areas = new Map<string, string[]>();
  for (const name of [...Object.keys(wire.enums), ...Object.keys(wire.messages)]) {
    if (name.includes(".")) continue;
    const area = areaOf(name);
    const names = areas.get(area) ?? [];
    names.push(name);
    areas.set(area, names);
  }
  return areas;
}

function areaFile(wire: Wire, area: string, names: readonly string[]): string {
  const imports = new Set<string>();
  const body = names.map((name) => {
    const text = name in wire.messages ? messageText(wire, name, imports) : enumText(wire, name);
    return text.join("\n");
  });
  imports.delete(area);
  return fileText(wire, [...imports].sort(), body);
}

function fileText(wire: Wire, imports: readonly string[], body: readonly string[]): string {
  return [
    "// Generated by scripts/gen_proto.ts from wire.json: do not edit.",
    'syntax = "proto3";',
    "",
    `package ${wire.package};`,
    "",
    ...imports.map((file) => `import "${file}.proto";`),
    ...(imports.length > 0 ? [""] : []),
    body.join("\n\n"),
    "",
  ].join("\n");
}

function enumText(wire: Wire, name: string): string[] {
  const values = Object.entries(wire.enums[name] ?? {});
  return [
    `enum ${lastPart(name)} {`,
    ...values.map(([value, number]) => `  ${value} = ${number};`),
    "}",
  ];
}

function messageText(wire: Wire, name: string, imports: Set<string>): string[] {
  const message = wire.messages[name] as WireMessage;
  const inner: string[] = [];
  for (const option of ["priority", "response", "entity", "only"] as const) {
    const value = message[option];
    if (value === undefined) continue;
    inner.push(`option (parley.${option}) = "${value}";`);
    imports.add("parley/options");
  }
  for (const nested of Object.keys(wire.enums)) {
    if (parentOf(nested) === name) inner.push(...enumText(wire, nested));
  }
  for (const nested of Object.keys(wire.messages)) {
    if (parentOf(nested) === name) inner.push(...messageText(wire, nested, imports));
  }
  const fields = message.fields.map(parseField);
  for (const type of fields.flatMap((field) => field.types)) {
    const resolved = resolve(wire, name, type);
    if (resolved !== undefined) imports.add(areaOf(resolved));
  }
  inner.push(...fieldsText(fields));
  const head = [
    ...(message.only === undefined ? [] : [`// only ${message.only}`]),
    ...(message.changed ?? []).map((change) => `// changed ${change}`),
  ];
  if (inner.length === 0) return [...head, `message ${lastPart(name)} {}`];
  return [...head, `message ${lastPart(name)} {`, ...indent(inner), "}"];
}

function fieldsText(fields: readonly WireField[]): string[] {
  const lines: string[] = [];
  const done = new Set<string>();
  for (const field of fields) {
    if (field.oneof === undefined) {
      lines.push(fieldText(field));
    } else if (!done.has(field.oneof)) {
      done.add(field.oneof);
      const members = fields.filter((other) => other.oneof === field.oneof);
      lines.push(`oneof ${field.oneof} {`, ...indent(members.map(fieldText)), "}");
    }
  }
  return lines;
}

function fieldText(field: WireField): string {
  return field.declaration + (field.only === undefined ? "" : ` // only ${field.only}`);
}

/** Reads `<number> [repeated|optional] <type> <name> [oneof=<name>] [only=<year>]`. */
function parseField(text: string): WireField {
  const match = /^(\d+) (?:(repeated|optional) )?(map<(\w+), (\S+)>|\S+) (\w+)((?: \w+=\w+)*)$/
    .exec(text);
  if (match === null) throw new Error(`Cannot read the field "${text}" of wire.json`);
  const [, number, label, type, key, value, name, marks] = match;
  const mark = (wanted: string) => new RegExp(` ${wanted}=(\\w+)`).exec(marks ?? "")?.[1];
  return {
    declaration: `${label === undefined ? "" : `${label} `}${type} ${name} = ${number};`,
    types: key === undefined ? [type as string] : [value as string],
    oneof: mark("oneof"),
    only: mark("only"),
  };
}

/** The full name that `type` means inside `message`; undefined for a scalar. */
function resolve(wire: Wire, message: string, type: string): string | undefined {
  for (let scope: string | undefined = message; scope !== undefined; scope = parentOf(scope)) {
    const name = `${scope}.${type}`;
    if (name in wire.messages || name in wire.enums) return name;
  }
  if (type in wire.messages || type in wire.enums) return type;
  if (/^[a-z]+\d*$/.test(type)) return undefined;
  throw new Error(`${message} names a type that wire.json does not have: ${type}`);
}

interface ParleyMessage {
  readonly name: string;
  readonly package: string;
  readonly file: string;
  readonly tag: number;
}

/** Parley's own messages that have an envelope tag. */
async function parleyMessages(): Promise<ParleyMessage[]> {
  const folder = new URL("parley/", PROTO);
  const messages: ParleyMessage[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".proto") || name === "options.proto") continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    const parsed = protobuf.parse(text, { keepCase: true });
    const scope = parsed.root.lookup(parsed.package ?? "");
    if (!(scope instanceof protobuf.Namespace)) continue;
    for (const type of scope.nestedArray) {
      const tag: unknown = type.options?.["(parley.tag)"];
      if (!(type instanceof protobuf.Type) || typeof tag !== "number") continue;
      if (tag < FIRST_PARLEY_TAG) {
        throw new Error(`${name}: the tag ${tag} of ${type.name} is below ${FIRST_PARLEY_TAG}`);
      }
      const file = `parley/${name.slice(0, -".proto".length)}`;
      messages.push({ name: type.name, package: parsed.package ?? "", file, tag });
    }
  }
  return messages.sort((a, b) => a.tag - b.tag);
}

function envelopeFile(wire: Wire, parley: readonly ParleyMessage[]): string {
  const imports = new Set<string>(parley.map((message) => message.file));
  const payloads: [tag: number, line: string][] = [];
  for (const [name, message] of Object.entries(wire.messages)) {
    if (message.envelope_tag === undefined) continue;
    imports.add(areaOf(name));
    const only = message.only === undefined ? "" : ` // only ${message.only}`;
    const line = `${name} ${message.envelope_field} = ${message.envelope_tag};${only}`;
    payloads.push([message.envelope_tag, line]);
  }
  for (const { name, package: scope, tag } of parley) {
    payloads.push([tag, `${scope}.${name} ${snakeCase(name)} = ${tag};`]);
  }
  payloads.sort(([a], [b]) => a - b);
  const fields = wire.envelope.fields.map(parseField);
  for (const type of fields.flatMap((field) => field.types)) {
    if (type in wire.messages) imports.add(areaOf(type));
  }
  const body = [
    `// One WebSocket message. Tags from ${FIRST_PARLEY_TAG} are Parley's own: parley/*.proto.`,
    "message Envelope {",
    ...indent([
      ...fieldsText(fields),
      "oneof payload {",
      ...indent(payloads.map(([, line]) => line)),
      "}",
    ]),
    "}",
  ];
  return fileText(wire, [...imports].sort(), [body.join("\n")]);
}

function refuseImportCycles(files: ReadonlyMap<string, string>): void {
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      throw new Error(`Files import each other: ${[...path, file].join(" -> ")}; change AREAS`);
    }
    for (const [, imported] of (files.get(file) ?? "").matchAll(/^import "(.+)";$/gm)) {
      visit(imported as string, [...path, file]);
    }
  };
  for (const file of files.keys()) visit(file, []);
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function parentOf(name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : name.slice(0, dot);
}

function snakeCase(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase();
}

if (import.meta.main) await main("gen_proto.ts", run);
