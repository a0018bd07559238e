/** Steps on trees of channels, their members and their calls. [channels 7] */
import type { MessageTypes } from "../../proto/mod.ts";
import { type ActionsOf, choose } from "./action.ts";
import type { SimClient } from "./sim_client.ts";
import type { Simulation } from "./simulation.ts";

type Channel = MessageTypes["Channel"];

/** Channels that one client makes at most, so that people meet in few. */
const MOST_ROOTS = 2;
const MOST_CHANNELS = 9;
/** Mostly members and guests; now and then somebody is banned. */
const ROLES = [1, 1, 2, 2, 0, 4, 1, 3] as const;

export const channelActions: ActionsOf<"channels"> = {
  createChannel(client, [a, b, c]) {
    const parent = choose(editable(client, c), a >>> 3);
    const { channels } = client.channels.view;
    if (!client.isOnline || channels.size >= MOST_CHANNELS) return;
    const isRoot = a % 3 === 1 || parent === undefined;
    const roots = [...channels.values()].filter(({ parentPath }) => parentPath.length === 0);
    if (isRoot && roots.length >= MOST_ROOTS) return;
    client.quietly(
      client.ask("CreateChannel", {
        name: `${b % 4 === 0 ? "#" : ""}place ${b % 12}`,
        ...(!isRoot && { parentId: parent.id }),
      }),
    );
  },
  renameChannel(client, [a, b, c]) {
    ask(
      client,
      a,
      c,
      ({ id: channelId }) => client.ask("RenameChannel", { channelId, name: `renamed ${b % 9}` }),
    );
  },
  moveChannel(client, [a, b, c]) {
    const to = choose([...client.channels.view.channels.values()], b);
    ask(
      client,
      a,
      c,
      ({ id: channelId }) => to && client.ask("MoveChannel", { channelId, to: to.id }),
    );
  },
  deleteChannel(client, [a, b, c]) {
    ask(client, a, c, ({ id: channelId, parentPath }) =>
      // Roots seldom, since all is gone with them.
      parentPath.length > 0 || b % 6 === 0
        ? client.ask("DeleteChannel", { channelId })
        : undefined);
  },
  showChannel(client, [a, b, c]) {
    ask(
      client,
      a,
      c,
      ({ id: channelId }) =>
        client.ask("SetChannelVisibility", { channelId, visibility: b % 3 === 2 ? 1 : 0 }),
    );
  },
  reorderChannel(client, [a, b, c]) {
    ask(
      client,
      a,
      c,
      ({ id: channelId }) => client.ask("ReorderChannel", { channelId, direction: b % 2 }),
    );
  },
  inviteMember(client, [a, b, c, d], sim) {
    const user = someone(sim, client, b);
    if (user === undefined) return;
    ask(client, a, d, ({ id, parentPath: [root] }) =>
      client.ask("InviteChannelMember", {
        // Now and then on a channel that is no root.
        channelId: c % 10 === 9 ? id : root ?? id,
        userId: user,
        role: ROLES[c % ROLES.length] as number,
      }));
  },
  answerInvitation(client, [a, b]) {
    const channelId = choose([...client.channels.view.invitations.keys()], a);
    if (!client.isOnline || channelId === undefined) return;
    client.quietly(
      client.ask("RespondToChannelInvite", { channelId, accept: b % 6 !== 5 }),
    );
  },
  removeMember(client, [a, b, c, d], sim) {
    const userId = c % 4 === 3 ? client.userId : someone(sim, client, b);
    if (userId === undefined) return;
    ask(
      client,
      a,
      d,
      ({ id, parentPath: [root] }) =>
        client.ask("RemoveChannelMember", { channelId: root ?? id, userId }),
    );
  },
  setMemberRole(client, [a, b, c, d], sim) {
    // Seldom one's own: a tree without an admin stays as it is.
    const userId = c % 16 === 15 ? client.userId : someone(sim, client, b);
    if (userId === undefined) return;
    ask(client, a, d, ({ id, parentPath: [root] }) =>
      client.ask("SetChannelMemberRole", {
        channelId: root ?? id,
        userId,
        role: ROLES[c % ROLES.length] as number,
      }));
  },
  listMembers(client, [a]) {
    const channel = choose([...client.channels.view.channels.keys()], a);
    if (!client.isOnline || channel === undefined) return;
    client.quietly(
      client.ask("GetChannelMembers", { channelId: channel, query: "", limit: 100n }),
    );
  },
  joinChannelCall(client, [a, b], sim) {
    // Public ones also without a role, as by a link.
    const known = b % 4 === 3 ? anywhere(sim) : [...client.channels.view.channels.keys()];
    const channelId = choose(known, a);
    if (!client.isOnline || channelId === undefined || client.room !== undefined) return;
    const { peer } = client;
    client.quietly(
      client.ask("JoinChannel", { channelId }).then(({ room }) => {
        if (peer !== client.peer) return;
        // Whatever call it was in before, it has been taken out of it. [channels 7.12.1]
        client.forgetRoom();
        client.enter(room);
      }, (error) => {
        client.mayBeEvicted = true;
        throw error;
      }),
    );
  },
};

/** All that anybody sees. */
function anywhere(sim: Simulation): bigint[] {
  const ids = sim.clients.flatMap(({ channels }) => [...channels.view.channels.keys()]);
  return [...new Set(ids)].sort((a, b) => Number(a - b));
}

function someone(sim: Simulation, client: SimClient, number: number): bigint | undefined {
  const users = new Set(sim.clients.map(({ userId }) => userId));
  users.delete(client.userId);
  return choose([...users], number);
}

/** Channels that the client may change; now and then any that it sees, to be refused. */
function editable(client: SimClient, number: number): Channel[] {
  const { view } = client.channels;
  return [...view.channels.values()].filter((one) => number % 8 === 7 || view.roleIn(one) === 0);
}

function ask(
  client: SimClient,
  number: number,
  boldness: number,
  request: (channel: Channel) => Promise<unknown> | undefined,
): void {
  const channel = choose(editable(client, boldness), number);
  if (!client.isOnline || channel === undefined) return;
  const asked = request(channel);
  if (asked !== undefined) client.quietly(asked);
}
