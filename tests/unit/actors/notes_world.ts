import type { Init, MessageTypes } from "../../../proto/mod.ts";
import type { Notes } from "../../../actors/notes/notes.ts";
import { notesDetails } from "../../support/notes.ts";
import { createTestTree } from "./channel_world.ts";
import type { Client, World } from "./world.ts";

const ONE = { channelId: 1n };

/** The notes of channel 1. */
export function notesOf(world: World): Notes | undefined {
  return world.actors.registry.notes.get(1) as Notes | undefined;
}

/** Opens the notes of channel 1 for an owner (replica 8) and a member (9), and takes what they heard. */
export async function openTestNotes(
  world: World,
): Promise<{ readonly owner: Client; readonly member: Client }> {
  const { owner, member } = await createTestTree(world);
  for (const client of [owner, member]) await openNotes(world, client);
  told(owner);
  told(member);
  return { owner, member };
}

export async function openNotes(world: World, client: Client): Promise<void> {
  client.send("JoinChannelBuffer", ONE);
  await world.settle();
}

export async function write(
  world: World,
  client: Client,
  ...operations: Init<MessageTypes["Operation"]>[]
): Promise<void> {
  client.send("UpdateChannelBuffer", { channelId: 1n, operations });
  await world.settle();
}

export async function comeBack(
  world: World,
  client: Client,
  version: readonly (readonly [replicaId: number, timestamp: number])[],
  epoch = 0n,
): Promise<void> {
  client.send("RejoinChannelBuffers", {
    buffers: [{
      channelId: 1n,
      epoch,
      version: version.map(([replicaId, timestamp]) => ({ replicaId, timestamp })),
    }],
  });
  await world.settle();
}

export async function leave(world: World, client: Client): Promise<void> {
  client.send("LeaveChannelBuffer", ONE);
  await world.settle();
}

/** What a client was told of notes since the last time; of other things the name only. */
export function told(client: Client): string[] {
  return client.take().filter(({ name }) => name !== "UpdateContacts").map(({ name, value }) => {
    if (name === "Error") return `Error ${value.code}`;
    const details = notesDetails(name, value, (id) => `#${id?.id}`) ?? [];
    return [name, ...details].join(" ");
  });
}
