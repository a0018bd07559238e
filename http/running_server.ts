/** How the command line finds the server that runs on a data folder: `server.json`. */
import { randomBytes } from "node:crypto";
import { z } from "zod";

const fileName = "server.json";

const content = z.object({
  url: z.url(),
  clientUrl: z.url().optional(),
  pid: z.int().positive(),
  adminSecret: z.string().min(32),
});

/** A server that runs on a data folder. */
export interface RunningServer {
  /** Where this machine reaches it. */
  readonly url: string;
  /** Where clients reach it, of a server with a certificate of its own. */
  readonly clientUrl?: string | undefined;
  readonly pid: number;
  /** Opens the admin routes of `admin.ts`. */
  readonly adminSecret: string;
}

/** A secret for one run of a server. */
export function createAdminSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** The URL under which the machine itself reaches a server that listens on `host`. */
export function localUrl(host: string, port: number, scheme: "http" | "https" = "http"): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
}

/** Tells the users of the data folder that the server runs, readable by their owner only. */
export async function writeRunningServer(dataDir: string, server: RunningServer): Promise<void> {
  const temporary = `${dataDir}/${fileName}.${server.pid}`;
  await Deno.remove(temporary).catch(() => {});
  await Deno.writeTextFile(temporary, JSON.stringify(server), { mode: 0o600, createNew: true });
  await Deno.rename(temporary, `${dataDir}/${fileName}`);
}

/** What the last server on the folder has written; it may have died without removing it. */
export async function readRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${dataDir}/${fileName}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    return content.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Removes what this very server has written; another's stays. */
export async function removeRunningServer(dataDir: string, adminSecret: string): Promise<void> {
  const server = await readRunningServer(dataDir);
  if (server?.adminSecret === adminSecret) await Deno.remove(`${dataDir}/${fileName}`);
}
