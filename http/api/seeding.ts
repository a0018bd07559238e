/** Channels and their members from a list: what is missing is made, what is there stays as it is. */
import { z } from "zod";
import { createRootFor } from "../../actors/channel/mod.ts";
import type { ChannelOrder, ChannelRef, TreeReport } from "../../actors/refs/mod.ts";
import { existingUser } from "../../db/accounts.ts";
import type { Deed } from "../audit.ts";
import type { HttpDeps } from "../deps.ts";
import { ask } from "./asking.ts";
import { ApiError } from "./endpoint.ts";
import { roleNames, roleNumber, visibilityNumber } from "./roles.ts";

interface SeedChannel {
  readonly name: string;
  readonly visibility: "public" | "members";
  readonly channels: readonly SeedChannel[];
}

const facts = {
  name: z.string().trim().regex(/^[^#]/, "must be a name, without # before it"),
  visibility: z.enum(["public", "members"]).default("members"),
  channels: z.lazy((): z.ZodType<SeedChannel[]> => z.array(z.strictObject(facts)).default([])),
};

/** Trees as a seed file has them. */
export const seedTrees = z.array(z.strictObject({
  ...facts,
  /** Login of the first administrator. */
  owner: z.string(),
  members: z.array(z.strictObject({ login: z.string(), role: z.enum(roleNames) })).default([]),
}));

export type SeedTree = z.infer<typeof seedTrees>[number];

/** How many of them were made. */
export interface Seeded {
  readonly channels: number;
  readonly members: number;
}

/** A channel that may be there already. */
interface Planned {
  readonly seed: SeedChannel;
  readonly id: number | undefined;
  readonly below: readonly Planned[];
}

/** A tree, and what of it is there. */
interface PlannedTree {
  readonly tree: SeedTree;
  readonly report: TreeReport | undefined;
  readonly root: Planned;
}

type Reported = TreeReport["channels"][number];
type CarryOut = (order: ChannelOrder) => void;

/** The names that trees name: owners and members. */
export function loginsIn(trees: readonly SeedTree[]): string[] {
  return trees.flatMap(({ owner, members }) => [owner, ...members.map(({ login }) => login)]);
}

/**
 * Makes what is missing. All of it is looked at first; then each tree is made whole or not at all, so
 * that after a failure the same file may be seeded again.
 *
 * @param audit writes down what was made
 * @throws {ApiError} for what cannot be made
 * @throws {NoSuchUserError} for a login that nobody has
 */
export async function seedChannels(
  deps: Pick<HttpDeps, "actors" | "store">,
  trees: readonly SeedTree[],
  audit: (deed: Deed) => Promise<void> = async () => {},
): Promise<Seeded> {
  const plans = await checkSeed(deps, trees);
  const ids = new Map<string, number>();
  for (const login of loginsIn(trees)) ids.set(login, (await existingUser(deps.store, login)).id);
  const all: Deed[] = [];
  for (const planned of plans) {
    const deeds = await makeTree(deps, planned, ids).catch((error) => {
      throw incomplete(error, planned, plans);
    });
    for (const deed of deeds) await audit(deed);
    all.push(...deeds);
  }
  const count = (action: Deed["action"]) => all.filter((deed) => deed.action === action).length;
  return { channels: count("channel.create"), members: count("channel.set_member") };
}

/**
 * Looks what of the trees is there, and makes nothing.
 *
 * @throws {ApiError} for what cannot be made
 */
export async function checkSeed(
  deps: Pick<HttpDeps, "actors">,
  trees: readonly SeedTree[],
): Promise<PlannedTree[]> {
  const refs = new Set(deps.actors.registry.channels.values());
  const reports = await Promise.all(
    [...refs].map((ref) =>
      ask<TreeReport>(deps, (answer) => ref.tell({ type: "channel.report", answer }, 0))
    ),
  );
  checkSiblings(trees, "the file");
  return trees.map((tree) => {
    const found = reports.filter(({ channels }) => channels[0]?.name === tree.name);
    if (found.length > 1) {
      throw new ApiError(409, `there are ${found.length} channels "${tree.name}" without a parent`);
    }
    const report = found[0];
    return { tree, report, root: plan(tree, report?.channels[0], report?.channels ?? [], true) };
  });
}

function checkSiblings(siblings: readonly SeedChannel[], place: string): void {
  const names = new Set<string>();
  for (const { name } of siblings) {
    if (names.has(name)) throw new ApiError(409, `"${name}" is twice in ${place}`);
    names.add(name);
  }
}

/** @throws {ApiError} where a public channel would be below one that is not */
function plan(
  seed: SeedChannel,
  there: Reported | undefined,
  channels: readonly Reported[],
  parentIsPublic: boolean,
): Planned {
  const visibility = there?.visibility ?? visibilityNumber(seed.visibility);
  const isPublic = visibility === visibilityNumber("public");
  if (there === undefined && isPublic && !parentIsPublic) {
    throw new ApiError(409, `"${seed.name}" cannot be public below a channel that is not`);
  }
  checkSiblings(seed.channels, `"${seed.name}"`);
  return {
    seed,
    id: there?.id,
    below: seed.channels.map((one) => {
      const found = there &&
        channels.find(({ parentId, name }) => parentId === there.id && name === one.name);
      return plan(one, found, channels, isPublic);
    }),
  };
}

/** Says how far it came. */
function incomplete(error: unknown, failed: PlannedTree, plans: readonly PlannedTree[]): unknown {
  if (!(error instanceof ApiError)) return error;
  const before = plans.indexOf(failed) > 0 ? ", what stands before it in the file is made" : "";
  const { name } = failed.tree;
  return new ApiError(error.status, `nothing of "${name}" is made${before}: ${error.message}`);
}

/** Makes what is missing of a tree, in one turn of its actor. */
async function makeTree(
  deps: Pick<HttpDeps, "actors">,
  { tree, report, root }: PlannedTree,
  ids: ReadonlyMap<string, number>,
): Promise<readonly Deed[]> {
  const deeds: Deed[] = [];
  const ownerId = ids.get(tree.owner)!;
  const known = new Set(report?.members.map(({ userId }) => userId) ?? [ownerId]);
  const fill = (carryOut: CarryOut, rootId: number) => {
    makeBelow(carryOut, rootId, root.below, deeds);
    for (const { login, role } of tree.members) {
      const userId = ids.get(login)!;
      if (known.has(userId)) continue;
      known.add(userId);
      carryOut({ kind: "set member", userId, role: roleNumber(role) });
      deeds.push({
        action: "channel.set_member",
        target: `/channels/${rootId}`,
        targetName: tree.name,
        details: { user_id: userId, login, role },
      });
    }
  };
  await ask<TreeReport>(deps, (answer) => {
    const { id } = root;
    if (id === undefined) {
      createRootFor(deps.actors, { name: tree.name, ownerId }, answer, (carryOut, rootId) => {
        made(carryOut, rootId, tree, deeds);
        fill(carryOut, rootId);
      });
      return;
    }
    const ref: ChannelRef | undefined = deps.actors.registry.channels.get(id);
    if (ref === undefined) throw new ApiError(404, `there is no channel ${id}`);
    const orders = (carryOut: CarryOut) => fill(carryOut, id);
    ref.tell({ type: "channel.administer", order: { kind: "together", orders }, answer }, 0);
  });
  return deeds;
}

function makeBelow(
  carryOut: CarryOut,
  parentId: number,
  channels: readonly Planned[],
  deeds: Deed[],
): void {
  for (const { seed, id, below } of channels) {
    let channelId = id;
    if (channelId === undefined) {
      carryOut({
        kind: "make",
        parentId,
        name: seed.name,
        made: (made) => channelId = made,
      });
      made(carryOut, channelId!, seed, deeds);
    }
    makeBelow(carryOut, channelId!, below, deeds);
  }
}

/** New channels are their members' alone. */
function made(
  carryOut: CarryOut,
  channelId: number,
  { name, visibility }: SeedChannel,
  deeds: Deed[],
): void {
  deeds.push({ action: "channel.create", target: `/channels/${channelId}`, targetName: name });
  if (visibility === "members") return;
  carryOut({
    kind: "change",
    channelId,
    name: undefined,
    visibility: visibilityNumber(visibility),
    to: undefined,
  });
}
