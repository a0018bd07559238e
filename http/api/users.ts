/** Accounts, their tokens and invitations. */
import { z } from "zod";
import { createToken } from "../../db/access_tokens.ts";
import { inviteUser } from "../../db/accounts.ts";
import { checkLogin } from "../../db/login.ts";
import type { AccessToken as Token, User as Account } from "../../db/store.ts";
import { tellAccountChanged } from "../account_change.ts";
import { toUser } from "../audit.ts";
import { baseUrl } from "../base_url.ts";
import type { HttpDeps } from "../deps.ts";
import { endConnections, endDevice } from "../signin/account_routes.ts";
import { ApiError, type Endpoint, endpoint } from "./endpoint.ts";
import {
  AccessTokens,
  CreatedToken,
  InvitationLink,
  limit,
  NewToken,
  NewUser,
  number,
  time,
  timeOrNull,
  User,
  UserChange,
  Users,
} from "./schemas.ts";

const params = z.object({ id: number });
const NO_USER = "there is no such account";

/** @throws {ApiError} */
export async function accountOf({ store }: HttpDeps, id: number): Promise<Account> {
  const user = await store.user(id);
  if (user === undefined) throw new ApiError(404, `there is no user ${id}`);
  return user;
}

function userJson({ actors }: HttpDeps, user: Account): z.input<typeof User> {
  return {
    id: user.id,
    login: user.login,
    name: user.name,
    email: user.email,
    admin: user.admin,
    staff: user.staff,
    disabled_at: timeOrNull(user.disabledAt),
    created_at: time(user.createdAt),
    connected_once: user.connectedOnce,
    metrics_id: user.metricsId,
    connections: [...actors.pool.connectionsOf(user.id)].length,
  };
}

function tokenJson(token: Token) {
  return {
    id: token.id,
    user_id: token.userId,
    label: token.label,
    impersonator_id: token.impersonatorId,
    created_at: time(token.createdAt),
    last_used_at: timeOrNull(token.lastUsedAt),
  };
}

export const userEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/api/admin/users",
    summary: "accounts, page by page",
    query: z.object({
      query: z.string().max(200).default("").describe("part of a login, name or e-mail address"),
      after: number.optional(),
      limit,
    }),
    success: { status: 200, description: "A page, by id", schema: Users },
    async run({ query: { query, after = 0, limit }, deps }) {
      const found = await deps.store.admin.usersPage({ query, after, limit: limit + 1 });
      const page = found.slice(0, limit);
      return {
        answer: {
          users: page.map((user) => userJson(deps, user)),
          next: found.length > limit ? page.at(-1)!.id : null,
        },
      };
    },
  }),
  endpoint({
    method: "POST",
    path: "/api/admin/users",
    summary: "a new account",
    body: NewUser,
    success: {
      status: 201,
      description: "The account, which has neither password nor token",
      schema: User,
    },
    errors: { 409: "another account has the login" },
    async run({ body: { login, name = null, email = null, admin = false }, deps }) {
      checkLogin(login);
      const user = await deps.store.createUser({ login, name, email, admin });
      return { answer: userJson(deps, user), deeds: [toUser("user.create", user, { admin })] };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/users/:id",
    summary: "one account",
    params,
    success: { status: 200, description: "The account", schema: User },
    errors: { 404: NO_USER },
    run: async ({ params, deps }) => ({ answer: userJson(deps, await accountOf(deps, params.id)) }),
  }),
  endpoint({
    method: "PATCH",
    path: "/api/admin/users/:id",
    summary: "a changed account",
    description: "Disabling an account ends all that it has open; nothing of it is lost.",
    params,
    body: UserChange,
    success: { status: 200, description: "The account as it is now", schema: User },
    errors: { 404: NO_USER, 409: "it is your own account, which you would lock yourself out of" },
    async run({ params: { id }, body: { disabled, ...change }, administrator, deps }) {
      const { store, actors } = deps;
      await accountOf(deps, id);
      if (administrator.user?.id === id && (disabled === true || change.admin === false)) {
        throw new ApiError(409, "you cannot disable yourself or stop being an administrator");
      }
      const user = await store.updateUser(id, {
        ...change,
        ...(disabled !== undefined && { disabledAt: disabled ? actors.clock.now() : null }),
      });
      if (user === undefined) throw new ApiError(404, `there is no user ${id}`);
      tellAccountChanged(deps, id);
      if (disabled === true) endConnections(deps, id);
      const details = { ...change, ...(disabled !== undefined && { disabled }) };
      return { answer: userJson(deps, user), deeds: [toUser("user.update", user, details)] };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/users/:id",
    summary: "an account removed, for good",
    params,
    success: { status: 204, description: "It is gone, with tokens, contacts and notifications" },
    errors: { 404: NO_USER, 409: "it is your own account" },
    async run({ params: { id }, administrator, deps }) {
      const user = await accountOf(deps, id);
      if (administrator.user?.id === id) throw new ApiError(409, "you cannot remove yourself");
      await deps.store.removeUser(id);
      deps.notices.endUser(id);
      deps.actors.removeUser(id);
      return { answer: undefined, deeds: [toUser("user.remove", user)] };
    },
  }),
  endpoint({
    method: "POST",
    path: "/api/admin/users/:id/sign_out",
    summary: "an account signed out everywhere",
    params,
    success: { status: 204, description: "Tokens, browser sessions and connections are gone" },
    errors: { 404: NO_USER },
    async run({ params: { id }, deps }) {
      const user = await accountOf(deps, id);
      await deps.store.removeAccessTokens(id);
      await deps.store.signIn.removeSessions(id);
      endConnections(deps, id);
      return { answer: undefined, deeds: [toUser("user.sign_out", user)] };
    },
  }),
  endpoint({
    method: "POST",
    path: "/api/admin/users/:id/invitation",
    summary: "a link for choosing a password",
    description:
      "For a new account, or for who has forgotten the password. It replaces an earlier link.",
    params,
    success: { status: 201, description: "The link", schema: InvitationLink },
    errors: { 404: NO_USER },
    async run({ params: { id }, exchange, deps }) {
      const { store, actors, config } = deps;
      const user = await accountOf(deps, id);
      const { path, expiresAt } = await inviteUser(store, user.login, {
        admin: user.admin,
        now: actors.clock.now(),
      });
      return {
        answer: {
          url: baseUrl(exchange.request, config.publicUrl) + path,
          expires_at: time(expiresAt),
        },
        deeds: [toUser("invitation.create", user)],
      };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/users/:id/invitation",
    summary: "an account's link taken back",
    params,
    success: { status: 204, description: "No link opens the account" },
    errors: { 404: NO_USER },
    async run({ params: { id }, deps }) {
      const user = await accountOf(deps, id);
      await deps.store.signIn.removeInvitations(id);
      return { answer: undefined, deeds: [toUser("invitation.remove", user)] };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/users/:id/access_tokens",
    summary: "what an account is signed in with",
    params,
    success: { status: 200, description: "Newest first", schema: AccessTokens },
    errors: { 404: NO_USER },
    async run({ params: { id }, deps }) {
      await accountOf(deps, id);
      return { answer: { tokens: (await deps.store.accessTokensOf(id)).map(tokenJson) } };
    },
  }),
  endpoint({
    method: "POST",
    path: "/api/admin/users/:id/access_tokens",
    summary: "a new access token",
    description:
      "For a script of that account. By an administrator in a browser it is a token to act as the " +
      "user, and shows as such.",
    params,
    body: NewToken,
    success: { status: 201, description: "The token", schema: CreatedToken },
    errors: { 404: NO_USER },
    async run({ params: { id }, body: { label = null }, administrator, deps }) {
      const user = await accountOf(deps, id);
      const { user: admin } = administrator;
      const impersonator = admin === undefined || admin.id === id ? null : admin.id;
      const token = await createToken(deps.store, id, impersonator, label);
      const [newest] = await deps.store.accessTokensOf(id);
      const action = impersonator === null ? "token.create" : "impersonation.create_token";
      return {
        answer: { ...tokenJson(newest!), token },
        deeds: [toUser(action, user, { token_id: newest!.id, label })],
      };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/users/:id/access_tokens/:token_id",
    summary: "one token revoked",
    params: z.object({ id: number, token_id: number }),
    success: { status: 204, description: "It is gone, and what it has opened is ended" },
    errors: { 404: "there is no such account, or it has no such token" },
    async run({ params: { id, token_id }, deps }) {
      const user = await accountOf(deps, id);
      if (!await deps.store.removeAccessToken(id, token_id)) {
        throw new ApiError(404, `${user.login} has no token ${token_id}`);
      }
      endDevice(deps, id, token_id);
      return { answer: undefined, deeds: [toUser("token.revoke", user, { token_id })] };
    },
  }),
];
