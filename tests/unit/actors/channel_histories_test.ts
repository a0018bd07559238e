/** Random histories of channels, chats and contacts, and what must hold when they rest. [channels 17] */
import { assert, assertEquals } from "@std/assert";
import { type Init, messageInfo, type MessageName, type MessageTypes } from "../../../proto/mod.ts";
import { printedRandom, type RandomSource } from "../../support/random.ts";
import { type Client, World } from "./world.ts";

const USERS = 4;
const STEPS = 600;
/** Steps between two rests. */
const BETWEEN = 25;

/** What the specification says of each message of the area; `undefined` for one-way messages. */
const ANSWERS: Partial<Record<MessageName, MessageName | undefined>> = {
  GetUsers: "UsersResponse",
  FuzzySearchUsers: "UsersResponse",
  RequestContact: "Ack",
  RespondToContactRequest: "Ack",
  RemoveContact: "Ack",
  GetNotifications: "GetNotificationsResponse",
  MarkNotificationRead: "Ack",
  SubscribeToChannels: undefined,
  CreateChannel: "CreateChannelResponse",
  RenameChannel: "RenameChannelResponse",
  DeleteChannel: "Ack",
  MoveChannel: "Ack",
  ReorderChannel: "Ack",
  SetChannelVisibility: "Ack",
  InviteChannelMember: "Ack",
  RemoveChannelMember: "Ack",
  SetChannelMemberRole: "Ack",
  RespondToChannelInvite: "Ack",
  GetChannelMembers: "GetChannelMembersResponse",
  JoinChannel: "JoinRoomResponse",
  JoinChannelBuffer: "JoinChannelBufferResponse",
  LeaveChannelBuffer: "Ack",
  RejoinChannelBuffers: "RejoinChannelBuffersResponse",
  UpdateChannelBuffer: undefined,
  AckBufferOperation: undefined,
  JoinChannelChat: "JoinChannelChatResponse",
  SendChannelMessage: "SendChannelMessageResponse",
  GetChannelMessages: "GetChannelMessagesResponse",
  GetChannelMessagesById: "GetChannelMessagesResponse",
  UpdateChannelMessage: "Ack",
  RemoveChannelMessage: "Ack",
  LeaveChannelChat: undefined,
  AckChannelMessage: undefined,
};
const AREA = Object.keys(ANSWERS) as MessageName[];

/** A client and what it shows. */
class Person {
  readonly shown = new Set<bigint>();
  /** Sent, and not answered yet: what an answer may be. */
  readonly asked = new Map<number, MessageName>();
  readonly client: Client;
  /** What it asked with success. */
  readonly done = new Set<MessageName>();

  constructor(client: Client) {
    this.client = client;
  }

  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): void {
    this.asked.set(this.client.send(name, value), name);
  }

  isAnswered(): boolean {
    const answered = new Set(this.client.socket.messages.map(({ respondingTo }) => respondingTo));
    return [...this.asked].every(([id, name]) => answered.has(id) || ANSWERS[name] === undefined);
  }

  /** Takes what came, as the editor does. [channels 6.2] */
  read(): void {
    const answered = new Set<number>();
    for (const { name, value, respondingTo } of this.client.take()) {
      if (name === "UpdateChannels") {
        const { deleteChannels, channels } = value as unknown as MessageTypes["UpdateChannels"];
        for (const id of deleteChannels) this.shown.delete(id);
        for (const { id } of channels) this.shown.add(id);
      }
      if (name === "ChannelMessageSent") {
        const { message } = value as unknown as MessageTypes["ChannelMessageSent"];
        assert(message?.senderId !== BigInt(this.client.userId), "told of what it said itself");
      }
      if (respondingTo === undefined || respondingTo < 0) continue;
      const question = this.asked.get(respondingTo);
      assert(question !== undefined, `${name} answers nothing`);
      assert(!answered.has(respondingTo), `${question} is answered twice`);
      answered.add(respondingTo);
      const expected = ANSWERS[question];
      assert(expected !== undefined, `${question} is answered with ${name}`);
      assert(name === "Error" || name === expected, `${question} is answered with ${name}`);
      if (name !== "Error") this.done.add(question);
    }
    for (const [id, question] of this.asked) {
      assert(answered.has(id) || ANSWERS[question] === undefined, `${question} is not answered`);
    }
    this.asked.clear();
  }
}

/** Something that somebody may ask, sensible or not. */
function step(random: RandomSource, people: readonly Person[], { ids }: World["actors"]): void {
  const person = random.pick(people);
  // Some of them are not there, and some of what is asked is not allowed.
  const channel = () =>
    random.chance(0.4) ? 1n : BigInt(Math.max(1, ids.last("channel") + 1 - random.int(10)));
  // One admin stays, or soon nothing would be allowed to anybody.
  const otherId = () => BigInt(random.pick(people.slice(1)).client.userId);
  const userId = () => BigInt(random.pick(people).client.userId);
  const messageId = () => BigInt(Math.max(0, ids.last("message") + 1 - random.int(5)));
  const role = () => random.pick([0, 0, 0, 0, 1, 1, 2, 3, 4]);
  const channelId = channel();
  const text = () => ({
    body: random.pick(["hi", "há", "", "more"]),
    nonce: { lowerHalf: BigInt(random.int(200)) },
    mentions: random.pick([[], [{ range: { start: 0n, end: 2n }, userId: userId() }]]),
  });
  const name = () => random.pick(["a", "b", "c", "d", "e", "f", "g", " #"]);
  random.pick<() => void>([
    () =>
      person.send(
        "CreateChannel",
        random.int(4) === 0 ? { name: name() } : {
          name: name(),
          parentId: channelId,
        },
      ),
    () => person.send("InviteChannelMember", { channelId, userId: userId(), role: role() }),
    () => person.send("InviteChannelMember", { channelId: 1n, userId: userId(), role: role() }),
    () => person.send("RespondToChannelInvite", { channelId, accept: random.int(4) > 0 }),
    () => person.send("RespondToChannelInvite", { channelId: 1n, accept: true }),
    () => person.send("SetChannelMemberRole", { channelId, userId: otherId(), role: role() }),
    () => person.send("RemoveChannelMember", { channelId, userId: otherId() }),
    () => person.send("SetChannelVisibility", { channelId, visibility: random.int(2) }),
    () => person.send("MoveChannel", { channelId, to: channel() }),
    () => person.send("ReorderChannel", { channelId, direction: random.int(2) }),
    () => channelId > 1n && random.int(2) === 0 && person.send("DeleteChannel", { channelId }),
    () => person.send("RenameChannel", { channelId, name: name() }),
    () => person.send("GetChannelMembers", { channelId }),
    () => person.send("JoinChannelChat", { channelId }),
    () => person.send("JoinChannelChat", { channelId: 1n }),
    () => person.send("LeaveChannelChat", { channelId }),
    () => person.send("SendChannelMessage", { channelId, ...text() }),
    () => person.send("SendChannelMessage", { channelId: 1n, ...text() }),
    () => person.send("UpdateChannelMessage", { channelId, messageId: messageId(), ...text() }),
    () => person.send("RemoveChannelMessage", { channelId, messageId: messageId() }),
    () => person.send("GetChannelMessages", { channelId, beforeMessageId: messageId() }),
    () => person.send("GetChannelMessagesById", { messageIds: [messageId(), messageId()] }),
    () => person.send("AckChannelMessage", { channelId, messageId: messageId() }),
    () => person.send("RequestContact", { responderId: userId() }),
    () =>
      person.send("RespondToContactRequest", {
        requesterId: userId(),
        response: random.int(4),
      }),
    () => person.send("RemoveContact", { userId: userId() }),
    () => person.send("MarkNotificationRead", { notificationId: messageId() }),
    () => person.send("GetNotifications", {}),
    () => person.send("FuzzySearchUsers", { query: "person" }),
    () => person.send("SubscribeToChannels", {}),
  ])();
}

/** Until everything is answered and stored: what stands behind something else takes longer. */
async function atRest(world: World, people: readonly Person[]): Promise<void> {
  for (let round = 0; round < 50; round++) {
    await world.settle();
    if (!world.actors.journal.busy && people.every((person) => person.isAnswered())) return;
  }
}

/** What holds at rest, from the rows alone. */
async function assertAtRest({ store }: World, people: readonly Person[]): Promise<void> {
  const channels = await store.load("channels");
  const byId = new Map(channels.map((row) => [row.id, row]));
  const members = await store.load("channel_members");
  for (const { client, shown } of people) {
    const visible = channels.filter(({ root_id, visibility }) => {
      const row = members.find((one) =>
        one.channel_id === root_id && one.user_id === client.userId && one.accepted
      );
      if (row === undefined || row.role === "banned") return false;
      return visibility === "public" || row.role === "admin" || row.role === "member";
    });
    assertEquals(
      [...shown].map(Number).sort((a, b) => a - b),
      visible.map(({ id }) => id),
      `what user ${client.userId} is shown`,
    );
  }
  const names = new Set<string>();
  const orders = new Set<string>();
  for (const { id, root_id, parent_path, name, visibility, channel_order } of channels) {
    if (parent_path === "") {
      assertEquals(root_id, id);
      continue;
    }
    const parent = byId.get(Number(parent_path.split("/").at(-2)));
    assert(parent !== undefined, `channel ${id} has no parent`);
    assertEquals(parent_path, `${parent.parent_path}${parent.id}/`);
    assertEquals(root_id, parent.root_id);
    assert(visibility !== "public" || parent.visibility === "public", `channel ${id} is public`);
    names.add(`${parent_path} ${name}`);
    orders.add(`${parent_path} ${channel_order}`);
  }
  const below = channels.filter(({ parent_path }) => parent_path !== "").length;
  assertEquals([names.size, orders.size], [below, below], "names and orders of siblings");
  const unread = (await store.load("notifications"))
    .filter(({ is_read, kind }) => !is_read && kind !== "ChannelMessageMention")
    .map((row) => `${row.recipient_id} ${row.kind} ${row.entity_id}`);
  assertEquals(unread.length, new Set(unread).size, "one unread notification of a kind");
}

Deno.test("[channels 17.1, 17.2, 17.3, 17.9, 17.10, 17.12] random histories: shown is what the role sees, one answer each, one unread notification each", async () => {
  const random = printedRandom("histories of channels");
  const done = new Set<MessageName>();
  for (let history = 0; history < 5; history++) {
    await using world = await World.start();
    const people: Person[] = [];
    for (let index = 0; index < USERS; index++) {
      people.push(new Person(await world.connect(`person${index}`)));
    }
    for (const person of people) person.send("SubscribeToChannels", {});
    const [first, ...others] = people as [Person, ...Person[]];
    first.send("CreateChannel", { name: "root" });
    await atRest(world, people);
    for (const { client } of others) {
      first.send("InviteChannelMember", { channelId: 1n, userId: BigInt(client.userId), role: 0 });
    }
    await atRest(world, people);
    for (const other of others) {
      other.send("RespondToChannelInvite", { channelId: 1n, accept: true });
    }
    for (let at = 0; at < STEPS; at++) {
      step(random, people, world.actors);
      if ((at + 1) % BETWEEN > 0) continue;
      await atRest(world, people);
      for (const person of people) person.read();
      await assertAtRest(world, people);
    }
    assertEquals(world.failures, []);
    for (const person of people) for (const name of person.done) done.add(name);
  }
  // Histories in which nothing succeeds would prove nothing.
  assert(done.size > AREA.length / 3, `only ${[...done].join(", ")} succeeded`);
});

Deno.test("[channels 1.5] [channels 17.10] every request of the area is answered once, with its own type or an Error; one-way messages never", async () => {
  await using world = await World.start();
  for (const name of AREA) {
    assertEquals(messageInfo(name).response, ANSWERS[name], name);
    const client = await world.connect(`user-${name}`);
    client.take();
    // Nothing in it: what it names does not exist.
    const id = client.send(name, {});
    await world.settle();
    const answers = client.take().filter(({ respondingTo }) => respondingTo === id);
    assertEquals(answers.length, ANSWERS[name] === undefined ? 0 : 1, name);
    for (const answer of answers) {
      assert(answer.name === "Error" || answer.name === ANSWERS[name], `${name}: ${answer.name}`);
    }
  }
});
