/**
 * What a collaboration server of 2026 asks its account service, for installations that are split:
 * look-ups behind `Authorization: Bearer <API_TOKEN>`. [transport 6.4]
 */
import { z } from "zod";
import type { TreeReport } from "../actors/refs/mod.ts";
import { Role } from "../actors/roles.ts";
import { fuzzyMatches } from "../db/fuzzy.ts";
import type { User } from "../db/store.ts";
import { equalSecrets } from "./api_token.ts";
import { ask } from "./api/asking.ts";
import { ApiError } from "./api/endpoint.ts";
import { roleName } from "./api/roles.ts";
import { readJson } from "./body.ts";
import { json } from "./responses.ts";
import type { Exchange } from "./route.ts";

const id = z.int().positive().max(2 ** 31 - 1);
const limit = z.int().min(0).max(1_000);

/** A route whose body a schema checks. */
function internal<Body extends z.ZodType>(
  body: Body,
  answer: (body: z.output<Body>, exchange: Exchange) => Promise<unknown>,
): (exchange: Exchange) => Promise<Response> {
  return async (exchange) => {
    const { request, deps: { config: { apiToken } } } = exchange;
    if (apiToken === undefined) {
      return json(404, { error: "these routes are closed: start the server with API_TOKEN" });
    }
    const given = request.headers.get("authorization") ?? "";
    if (!equalSecrets(given, `Bearer ${apiToken.reveal()}`)) {
      return json(401, { error: "missing or wrong key: send Authorization: Bearer <API_TOKEN>" });
    }
    const parsed = body.safeParse(await readJson(request));
    if (!parsed.success) return json(400, { error: z.prettifyError(parsed.error) });
    try {
      return json(200, await answer(parsed.data, exchange));
    } catch (error) {
      if (error instanceof ApiError) return json(error.status, { error: error.message });
      throw error;
    }
  };
}

function internalUser({ actors }: Exchange["deps"], user: User) {
  return {
    id: String(user.id),
    legacy_user_id: user.id,
    username: user.login,
    github_login: user.login,
    avatar_url: user.avatarUrl ?? actors.avatarUrl(user.id),
    name: user.name,
    admin: user.admin,
    connected_once: user.connectedOnce,
  };
}

/** `POST /internal/users/look_up_by_legacy_id`. */
export const lookUpByLegacyId = internal(
  z.object({ legacy_user_ids: z.array(id).max(10_000) }),
  async ({ legacy_user_ids }, { deps }) => ({
    users: (await deps.store.users(legacy_user_ids)).map((user) => internalUser(deps, user)),
  }),
);

/** `POST /internal/users/look_up_by_github_login`. */
export const lookUpByGitHubLogin = internal(
  z.object({ github_login: z.string() }),
  async ({ github_login }, { deps }) => {
    const user = await deps.store.userByLogin(github_login);
    return { user: user === undefined ? null : internalUser(deps, user) };
  },
);

/** `POST /internal/users/fuzzy_search`. */
export const fuzzySearch = internal(
  z.object({ query: z.string().max(1_000), limit }),
  async ({ query, limit }, { deps }) => ({
    users: (await deps.store.searchUsers(query, limit)).map((user) => internalUser(deps, user)),
  }),
);

/** `POST /internal/channel_members/fuzzy_search_by_github_login`: in the order of `GetChannelMembers`. */
export const fuzzySearchMembers = internal(
  z.object({ channel_id: z.int().positive(), query: z.string().max(1_000), limit }),
  async ({ channel_id, query, limit }, { deps }) => {
    const tree = deps.actors.registry.channels.get(channel_id);
    if (tree === undefined) throw new ApiError(404, `there is no channel ${channel_id}`);
    const { members } = await ask<TreeReport>(
      deps,
      (answer) => tree.tell({ type: "channel.report", answer }, 0),
    );
    const users = new Map(
      (await deps.actors.directory.find(members.map(({ userId }) => userId)))
        .map((user) => [user.id, user]),
    );
    const found = members
      .map((member) => ({ member, user: users.get(member.userId) }))
      .filter((one): one is { member: Member; user: User } =>
        one.user !== undefined && fuzzyMatches(query, one.user.login)
      )
      .sort((a, b) =>
        rank(a.member) - rank(b.member) ||
        Number(b.member.accepted) - Number(a.member.accepted) ||
        (a.user.login < b.user.login ? -1 : 1)
      )
      .slice(0, limit);
    return {
      channel_members: found.map(({ member }) => ({
        legacy_user_id: member.userId,
        kind: member.accepted ? "member" : "invitee",
        role: roleName(member.role),
      })),
      users: found.map(({ user }) => internalUser(deps, user)),
    };
  },
);

type Member = TreeReport["members"][number];

/** [channels 7.11] */
function rank({ role }: Member): number {
  const place = ([Role.Admin, Role.Member, Role.Guest] as readonly number[]).indexOf(role);
  return place < 0 ? 3 : place;
}
