/** Who may do what, cell by cell, from the specification's table. [channels 5.9] */
import { assertEquals } from "@std/assert";
import type { Init, MessageName, MessageTypes } from "../../../proto/mod.ts";
import { type Client, World } from "./world.ts";

/** Columns of the table; the last is a user without any row. */
const ROLES = ["Admin", "Member", "Talker", "Guest", "Banned", "none"] as const;
const NUMBERS = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;
const [PUBLIC, MEMBERS] = [0, 1];

/** What a cell's channels are: the root is public, and so is one of its children. */
interface Place {
  readonly root: bigint;
  readonly open: bigint;
  readonly closed: bigint;
  /** A member of the tree other than the actor and its maker. */
  readonly other: Client;
  readonly stranger: Client;
  /** In the chat of the public child: a message of another, and one of the actor. */
  readonly others: bigint;
  readonly ownOpen: bigint;
  /** In that of the other child: a message of the actor. */
  readonly ownClosed: bigint;
}

interface Row {
  readonly rule: string;
  readonly title: string;
  /** `y`: done, `i`: Internal, `f`: Forbidden; one per column. */
  readonly cells: string;
  readonly message: MessageName;
  readonly value: (place: Place, self: Client) => Record<string, unknown>;
}

function row<N extends MessageName>(
  rule: string,
  title: string,
  cells: string,
  message: N,
  value: (place: Place, self: Client) => Init<MessageTypes[N]>,
): Row {
  return { rule, title, cells, message, value: value as Row["value"] };
}

const user = (client: Client) => BigInt(client.userId);

const TABLE: readonly Row[] = [
  row("5.9a", "create a root", "yyyyyy", "CreateChannel", () => ({ name: "mine" })),
  row("5.9a", "create under a public parent", "yiiiii", "CreateChannel", ({ open }) => ({
    name: "x",
    parentId: open,
  })),
  row("5.9a", "create under a members' parent", "yiiiii", "CreateChannel", ({ closed }) => ({
    name: "x",
    parentId: closed,
  })),
  row("5.9b", "rename a public channel", "yiiiii", "RenameChannel", ({ open }) => ({
    channelId: open,
    name: "x",
  })),
  row("5.9b", "rename a members' channel", "yiiiii", "RenameChannel", ({ closed }) => ({
    channelId: closed,
    name: "x",
  })),
  row("5.9b", "delete", "yiiiii", "DeleteChannel", ({ open }) => ({ channelId: open })),
  row("5.9b", "delete the root", "yiiiii", "DeleteChannel", ({ root }) => ({ channelId: root })),
  row("5.9b", "move", "yiiiii", "MoveChannel", ({ closed, open }) => ({
    channelId: closed,
    to: open,
  })),
  row("5.9b", "set the visibility", "yiiiii", "SetChannelVisibility", ({ open }) => ({
    channelId: open,
    visibility: MEMBERS,
  })),
  row("5.9b", "reorder", "yiiiii", "ReorderChannel", ({ open }) => ({
    channelId: open,
    direction: 1,
  })),
  row("5.9b", "reorder a root", "yyyyyy", "ReorderChannel", ({ root }) => ({
    channelId: root,
    direction: 1,
  })),
  row("5.9c", "invite", "yiiiii", "InviteChannelMember", ({ root, stranger }) => ({
    channelId: root,
    userId: user(stranger),
    role: NUMBERS.Member,
  })),
  row("5.9c", "set another's role", "yiiiii", "SetChannelMemberRole", ({ root, other }) => ({
    channelId: root,
    userId: user(other),
    role: NUMBERS.Guest,
  })),
  row("5.9c", "remove another", "yiiiii", "RemoveChannelMember", ({ root, other }) => ({
    channelId: root,
    userId: user(other),
  })),
  // A ban is not lifted by leaving: quirk 7 against the table.
  row("5.9d", "remove oneself", "yyyyii", "RemoveChannelMember", ({ root }, self) => ({
    channelId: root,
    userId: user(self),
  })),
  row("5.9e", "list members through a public channel", "yyyyii", "GetChannelMembers", (place) => ({
    channelId: place.open,
  })),
  row(
    "5.9e",
    "list members through a members' channel",
    "yyiiii",
    "GetChannelMembers",
    (place) => ({
      channelId: place.closed,
    }),
  ),
  row("5.9f", "join the call of a public channel", "yyyyfy", "JoinChannel", ({ open }) => ({
    channelId: open,
  })),
  row("5.9f", "join the call of a members' channel", "yyffff", "JoinChannel", ({ closed }) => ({
    channelId: closed,
  })),
  ...chatRows("a public channel", "yyyyii", ({ open }) => open),
  ...chatRows("a members' channel", "yyiiii", ({ closed }) => closed),
  row("5.9j", "delete what another has said", "yiiiii", "RemoveChannelMessage", (place) => ({
    channelId: place.open,
    messageId: place.others,
  })),
];

/** What needs a role that sees the channel, with everybody in its chat. */
function chatRows(where: string, cells: string, channel: (place: Place) => bigint): Row[] {
  const own = (place: Place) => channel(place) === place.open ? place.ownOpen : place.ownClosed;
  return [
    row("5.9j", `join the chat of ${where}`, cells, "JoinChannelChat", (place) => ({
      channelId: channel(place),
    })),
    row("5.9j", `say something in ${where}`, cells, "SendChannelMessage", (place) => ({
      channelId: channel(place),
      body: "x",
      nonce: { upperHalf: 1n, lowerHalf: channel(place) },
    })),
    row("5.9j", `read what was said in ${where}`, cells, "GetChannelMessages", (place) => ({
      channelId: channel(place),
      beforeMessageId: 1000n,
    })),
    row("5.9j", `read one message of ${where}`, cells, "GetChannelMessagesById", (place) => ({
      messageIds: [own(place)],
    })),
    row("5.9j", `change what one has said in ${where}`, cells, "UpdateChannelMessage", (place) => ({
      channelId: channel(place),
      messageId: own(place),
      body: "y",
      nonce: { lowerHalf: 98n },
    })),
  ];
}

async function ask(
  world: World,
  client: Client,
  message: MessageName,
  value: Record<string, unknown>,
): Promise<{ readonly name: string; readonly value: Record<string, unknown> }> {
  const id = client.send(message, value as never);
  await world.settle();
  const answer = client.take().find(({ respondingTo }) => respondingTo === id);
  if (answer === undefined) throw new Error(`Nothing answered ${message}`);
  return answer;
}

async function created(world: World, owner: Client, name: string, parentId?: bigint) {
  const { value } = await ask(world, owner, "CreateChannel", {
    name,
    ...(parentId !== undefined && { parentId }),
  });
  return (value.channel as { id: bigint }).id;
}

async function join(world: World, owner: Client, root: bigint, client: Client, role: number) {
  await ask(world, owner, "InviteChannelMember", { channelId: root, userId: user(client), role });
  await ask(world, client, "RespondToChannelInvite", { channelId: root, accept: true });
}

/** A tree of `owner` in which `self` has the role. */
async function place(world: World, self: Client, role: (typeof ROLES)[number]): Promise<Place> {
  const owner = await world.connect("owner");
  const other = await world.connect("other");
  const stranger = await world.connect("stranger");
  const root = await created(world, owner, "root");
  const open = await created(world, owner, "open", root);
  const closed = await created(world, owner, "closed", root);
  for (const channelId of [root, open]) {
    await ask(world, owner, "SetChannelVisibility", { channelId, visibility: PUBLIC });
  }
  await join(world, owner, root, other, NUMBERS.Member);
  // Everybody has said something as a member, and has stayed in the chats since.
  await join(world, owner, root, self, NUMBERS.Member);
  const ownOpen = await said(world, self, open);
  const ownClosed = await said(world, self, closed);
  const others = await said(world, other, open);
  const kept = { channelId: root, userId: user(self) };
  if (role === "none") await ask(world, owner, "RemoveChannelMember", kept);
  else await ask(world, owner, "SetChannelMemberRole", { ...kept, role: NUMBERS[role] });
  return { root, open, closed, other, stranger, others, ownOpen, ownClosed };
}

/** A message of the client's in that channel, whose chat it has joined. */
async function said(world: World, client: Client, channelId: bigint): Promise<bigint> {
  await ask(world, client, "JoinChannelChat", { channelId });
  const { value } = await ask(world, client, "SendChannelMessage", {
    channelId,
    body: "x",
    nonce: { lowerHalf: channelId },
  });
  return (value.message as { id: bigint }).id;
}

/** Every cell of the rows about a rule: what becomes of the request, role by role. */
function cellsOf(rule: string): (t: Deno.TestContext) => Promise<void> {
  return async (t) => {
    for (const row of TABLE.filter((one) => one.rule === rule)) {
      await t.step(`${row.title}: ${row.cells}`, () => assertCells(row));
    }
  };
}

async function assertCells({ cells, message, value }: Row): Promise<void> {
  await using world = await World.start();
  const self = await world.connect("self");
  let outcome = "";
  for (const role of ROLES) {
    const where = await place(world, self, role);
    const answer = await ask(world, self, message, value(where, self));
    if (answer.name !== "Error") outcome += "y";
    else outcome += { 0: "i", 5: "f" }[answer.value.code as number] ?? "?";
    await ask(world, self, "LeaveRoom", {});
  }
  assertEquals(outcome, cells);
}

Deno.test("[channels 5.9a, 5.5, 5.7] who may create", cellsOf("5.9a"));
Deno.test("[channels 5.9b, 5.5, 5.7] who may rename, delete, move, show, order", cellsOf("5.9b"));
Deno.test("[channels 5.9c, 5.5, 5.7] who may invite, set roles, remove", cellsOf("5.9c"));
Deno.test("[channels 5.9d, 5.5, 5.7] who may remove himself", cellsOf("5.9d"));
Deno.test("[channels 5.9e, 5.5, 5.7] who may list members", cellsOf("5.9e"));
Deno.test("[channels 5.9f, 5.5, 5.7] who may join the call", cellsOf("5.9f"));
Deno.test("[channels 5.9j, 5.5, 5.7] who may do what in the chat", cellsOf("5.9j"));
