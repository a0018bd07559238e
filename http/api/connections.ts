/** Open connections. */
import { z } from "zod";
import type { ConnectionRef } from "../../actors/refs/mod.ts";
import { peerKey, peerText } from "../../rpc/peer_id.ts";
import type { HttpDeps } from "../deps.ts";
import { ApiError, type Endpoint, endpoint } from "./endpoint.ts";
import { Connections, number, time } from "./schemas.ts";

/** Logins of users by id, of those that exist. */
export async function loginsOf(
  { actors }: HttpDeps,
  ids: Iterable<number>,
): Promise<ReadonlyMap<number, string>> {
  const users = await actors.directory.find([...new Set(ids)]);
  return new Map(users.map(({ id, login }) => [id, login]));
}

export const connectionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/api/admin/connections",
    summary: "open connections",
    query: z.object({ user_id: number.optional() }),
    success: { status: 200, description: "All, or those of one user", schema: Connections },
    async run({ query: { user_id }, deps }) {
      const open = [...deps.actors.registry.connections.values()]
        .filter(({ userId }) => user_id === undefined || userId === user_id);
      const logins = await loginsOf(deps, open.map(({ userId }) => userId));
      return {
        answer: {
          connections: open.map((one) => ({
            id: peerText(one.key),
            user_id: one.userId,
            login: logins.get(one.userId) ?? null,
            app_version: one.version.text,
            client_address: one.clientAddress,
            connected_at: time(one.connectedAt),
            token_id: one.tokenId,
            impersonator_id: one.impersonatorId,
          })),
        },
      };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/connections/:id",
    summary: "one connection ended",
    description:
      "A client with a good token comes back by itself: revoke the token to keep it out.",
    params: z.object({
      id: z.string().regex(/^\d{1,9}:\d{1,9}$/, "must be as 1:5").meta({ example: "1:5" }),
    }),
    success: { status: 204, description: "It is ended" },
    errors: { 404: "there is no such connection" },
    async run({ params: { id }, deps }) {
      const connection = find(deps, id);
      if (connection === undefined) throw new ApiError(404, `there is no connection ${id}`);
      connection.drop("closed_by_operator");
      const name = (await loginsOf(deps, [connection.userId])).get(connection.userId);
      return {
        answer: undefined,
        deeds: [{
          action: "connection.end",
          target: `/connections/${id}`,
          ...(name !== undefined && { targetName: name }),
          details: { user_id: connection.userId },
        }],
      };
    },
  }),
];

function find({ actors }: HttpDeps, id: string): ConnectionRef | undefined {
  const [owner = NaN, number = NaN] = id.split(":").map(Number);
  return actors.registry.connections.get(peerKey(owner, number));
}
