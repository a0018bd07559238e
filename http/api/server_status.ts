/** The server itself, who asks, and what was done. */
import { z } from "zod";
import { browserOf } from "../signin/browser_exchange.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { AuditEntries, limit, number, ServerStatus, Session, time } from "./schemas.ts";

export const serverEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/api/admin/server",
    summary: "version and load of the server",
    success: { status: 200, description: "The server", schema: ServerStatus },
    run({ deps: { actors, config, version } }) {
      const answer = {
        ...actors.registry.counts(),
        version,
        mode: config.mode,
        epoch: actors.epoch,
        draining: actors.draining,
      };
      return Promise.resolve({ answer });
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/session",
    summary: "who asks",
    success: { status: 200, description: "Who you are to this API", schema: Session },
    async run({ administrator: { user }, exchange, deps }) {
      const csrf = user &&
        await deps.signIn.sessions.csrfToken((await browserOf(exchange)).browser);
      return {
        answer: {
          kind: user === undefined ? "api token" as const : "user" as const,
          user_id: user?.id ?? null,
          login: user?.login ?? null,
          csrf_token: csrf ?? null,
        },
      };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/audit",
    summary: "what was done, by whom, to whom, when and from where",
    query: z.object({
      before: number.optional(),
      limit,
      target: z.string().max(200).optional().describe("an address, as /users/4"),
      action: z.string().max(100).optional().describe("as user.update"),
    }),
    success: { status: 200, description: "A page", schema: AuditEntries },
    async run({ query: { before = null, limit, target, action }, deps }) {
      const found = await deps.store.admin.auditEntries({
        before,
        limit: limit + 1,
        target,
        action,
      });
      const page = found.slice(0, limit);
      return {
        answer: {
          entries: page.map(({ createdAt, targetName, clientAddress, ...entry }) => ({
            ...entry,
            at: time(createdAt),
            target_name: targetName,
            client_address: clientAddress,
            details: { ...entry.details },
          })),
          next: found.length > limit ? page.at(-1)!.id : null,
        },
      };
    },
  }),
];
