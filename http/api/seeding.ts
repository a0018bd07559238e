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

type Reported = TreeReport["channels"][number];

/** The names that trees name: owners and members. */
export function loginsIn(trees: readonly SeedTree[]): string[] {
  return trees.flatMap(({ owner, members }) => [owner, ...members.map(({ login }) => login)]);
}

/**
 * Makes what is missing. All of it is looked at first.
 *
 * @param audit writes down what was made
 * @throws {ApiError} for what cannot be made, before anything is
 * @throws {NoSuchUserError} for a login that nobody has
 */
export async function seedChannels(
  deps: Pick<HttpDeps, "actors" | "store">,
  trees: readonly SeedTree[],
  audit: (deed: Deed) => Promise<void> = async () => {},
): Promise<Seeded> {
  const ids = new Map<string, number>();
  for (const login of loginsIn(trees)) ids.set(login, (await existingUser(deps.store, login)).id);
  const refs = new Set(deps.actors.registry.channels.values());
  const reports = await Promise.all(
    [...refs].map((ref) =>
      ask<TreeReport>(deps, (answer) => ref.tell({ type: "channel.report", answer }, 0))
    ),
  );
  checkSiblings(trees, "the file");
  const plans = trees.map((tree) => {
    const found = reports.filter(({ channels }) => channels[0]?.name === tree.name);
    if (found.length > 1) {
      throw new ApiError(409, `there are ${found.length} channels "${tree.name}" without a parent`);
    }
    const report = found[0];
    return { tree, report, planned: plan(tree, report?.channels[0], report?.channels ?? [], true) };
  });
  let channels = 0;
  let members = 0;
  const made = async (id: number, name: string) => {
    channels++;
    await audit({ action: "channel.create", target: `/channels/${id}`, targetName: name });
  };
  for (const { tree, report, planned } of plans) {
    let { id } = planned;
    const known = new Set(report?.members.map(({ userId }) => userId));
    if (id === undefined) {
      const ownerId = ids.get(tree.owner)!;
      id = await makeRoot(deps, tree.name, ownerId);
      known.add(ownerId);
      await show(deps, id, tree);
      await made(id, tree.name);
    }
    await makeBelow(deps, id, planned.below, made);
    for (const { login, role } of tree.members) {
      const userId = ids.get(login)!;
      if (known.has(userId)) continue;
      await order(deps, id, { kind: "set member", userId, role: roleNumber(role) });
      members++;
      await audit({
        action: "channel.set_member",
        target: `/channels/${id}`,
        targetName: tree.name,
        details: { user_id: userId, login, role },
      });
    }
  }
  return { channels, members };
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

async function makeRoot(
  deps: Pick<HttpDeps, "actors">,
  name: string,
  ownerId: number,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  await ask<TreeReport>(
    deps,
    (answer) => resolve(createRootFor(deps.actors, { name, ownerId }, answer)),
  );
  return await promise;
}

async function makeBelow(
  deps: Pick<HttpDeps, "actors">,
  parentId: number,
  channels: readonly Planned[],
  made: (id: number, name: string) => Promise<void>,
): Promise<void> {
  for (const { seed, id, below } of channels) {
    let channelId = id;
    if (channelId === undefined) {
      await order(deps, parentId, {
        kind: "make",
        parentId,
        name: seed.name,
        made: (made) => channelId = made,
      });
      await show(deps, channelId!, seed);
      await made(channelId!, seed.name);
    }
    await makeBelow(deps, channelId!, below, made);
  }
}

/** New channels are their members' alone. */
async function show(
  deps: Pick<HttpDeps, "actors">,
  channelId: number,
  { visibility }: SeedChannel,
): Promise<void> {
  if (visibility === "members") return;
  await order(deps, channelId, {
    kind: "change",
    channelId,
    name: undefined,
    visibility: visibilityNumber(visibility),
    to: undefined,
  });
}

async function order(
  deps: Pick<HttpDeps, "actors">,
  channelId: number,
  order: ChannelOrder,
): Promise<void> {
  const tree: ChannelRef | undefined = deps.actors.registry.channels.get(channelId);
  if (tree === undefined) throw new ApiError(404, `there is no channel ${channelId}`);
  await ask<TreeReport>(
    deps,
    (answer) => tree.tell({ type: "channel.administer", order, answer }, 0),
  );
}
