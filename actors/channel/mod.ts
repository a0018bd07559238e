/** Channels: trees of them, each with one actor. [channels 5] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { newDraft, notInChat } from "../chat/mod.ts";
import { decoding } from "../decoding.ts";
import type { Answer, ChannelOrder, Inbound, TreeReport } from "../refs/mod.ts";
import { refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { channelName } from "./editing.ts";
import { loadTrees } from "./rows.ts";
import { ChannelTreeState } from "./state.ts";
import { ChannelTree } from "./tree.ts";

/** Brings all trees back, before connections are accepted. */
export async function restoreChannels(system: ActorSystem): Promise<void> {
  for (const state of (await loadTrees(system.store)).values()) new ChannelTree(system, state);
}

/** Brings back a tree whose end was taken back: the database still has it. [design 1.3] */
export function restoreChannel(system: ActorSystem, rootId: number): void {
  new ChannelTree(system, new ChannelTreeState(rootId)).refusedByStore();
}

/** `CreateChannel`: a new tree, or something for the tree of the parent. [channels 7.1] */
export function createChannel(system: ActorSystem, inbound: Inbound): void {
  refusing(system, inbound, () => {
    const { name, parentId } = decode("CreateChannel", inbound.payload);
    const kept = channelName(name);
    if (parentId === undefined) {
      const { id, write } = system.ids.next("channel");
      const { connection, requestId } = inbound;
      new ChannelTree(system, new ChannelTreeState(id)).tell(
        { type: "channel.create", connection, requestId, name: kept, counter: write },
        0,
      );
      return;
    }
    const parent = system.registry.channels.get(Number(parentId));
    if (parent === undefined) throw RpcError.coded("NoSuchChannel");
    parent.receive(Number(parentId), inbound);
  });
}

/**
 * An operator's new root, with one member who is its admin.
 *
 * @param more orders what is made together with it
 * @returns its id, known before it is made
 */
export function createRootFor(
  system: ActorSystem,
  { name, ownerId }: { readonly name: string; readonly ownerId: number },
  answer: Answer<TreeReport>,
  more: (carryOut: (order: ChannelOrder) => void, rootId: number) => void = () => {},
): number {
  // Refused before anything is made.
  channelName(name);
  const { id, write } = system.ids.next("channel");
  new ChannelTree(system, new ChannelTreeState(id)).tell({
    type: "channel.administer",
    order: {
      kind: "together",
      orders(carryOut) {
        carryOut({ kind: "make root", name, ownerId, counter: write });
        more(carryOut, id);
      },
    },
    answer,
  }, 0);
  return id;
}

/** Answers a message that names a channel that does not exist. [channels 18] */
export function refuseForNoChannel(system: ActorSystem, inbound: Inbound): void {
  refusing(system, inbound, () => {
    // What is wrong with a new name comes before what is wrong with the channel.
    if (inbound.route.message === "RenameChannel") {
      channelName(decode("RenameChannel", inbound.payload).name);
    }
    if (inbound.route.message === "SendChannelMessage") {
      newDraft(decode("SendChannelMessage", inbound.payload));
    }
    // Nobody is in the chat of a channel that is not there.
    if (inbound.route.message === "RemoveChannelMessage") {
      throw notInChat(Number(decode("RemoveChannelMessage", inbound.payload).channelId));
    }
    if (inbound.route.message === "LeaveChannelBuffer") {
      throw RpcError.internal("this connection does not have these notes open");
    }
    throw RpcError.coded("NoSuchChannel");
  });
}

function refusing(system: ActorSystem, inbound: Inbound, handle: () => void): void {
  try {
    decoding(inbound, handle);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    refuse(system, inbound, error);
  }
}
