/** What the commands of a local server's machine ask of it, through its admin routes. */
import { z } from "zod";
import { readRunningServer, type RunningServer } from "../http/running_server.ts";
import type { Environment } from "../lib/read_settings.ts";
import { DataDirError, isDataDirLocked } from "../lib/data_dir.ts";
import { defaultLocalDataDir } from "../lib/local_config.ts";
import { ServerRefusedError } from "./accounts.ts";

/** How long a server may take to answer, in milliseconds. */
const patience = 10_000;
const refusal = z.object({ error: z.string() });

/**
 * The folder of the local server's data.
 *
 * @param dataFlags as {@link CommandLine.dataFlags}
 * @throws {DataDirError} there is no home folder
 */
export function localDataDir(dataFlags: readonly string[], env: Environment): string {
  const flag = "--data-dir=";
  const given = dataFlags.findLast((text) => text.startsWith(flag))?.slice(flag.length);
  const dataDir = given ?? (env.PARLEY_DATA_DIR || defaultLocalDataDir(env));
  if (dataDir === undefined) {
    throw new DataDirError("Cannot find the local server's data: no home folder; give --data-dir");
  }
  return dataDir;
}

/** Asks the server that runs on a data folder. @throws {ServerRefusedError} {DataDirError} */
export async function askServer<T>(
  dataDir: string,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const server = await isDataDirLocked(dataDir) ? await readRunningServer(dataDir) : undefined;
  if (server === undefined) {
    throw new DataDirError(
      `Cannot reach a server: none runs on ${dataDir}; start serve-local first`,
    );
  }
  return await ask(server, method, path, schema, body);
}

async function ask<T>(
  server: RunningServer,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  body: unknown,
): Promise<T> {
  const what = `Cannot reach the server of process ${server.pid}`;
  let response: Response;
  let json: unknown;
  try {
    response = await fetch(new URL(`/internal/admin/${path}`, server.url), {
      method,
      headers: { authorization: `Bearer ${server.adminSecret}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
    });
    json = await response.json();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServerRefusedError(`${what}: ${reason}; restart it`, { cause: error });
  }
  if (response.status !== 200) {
    const said = refusal.safeParse(json).data?.error;
    throw new ServerRefusedError(said ?? `${what}: it answered ${response.status}`);
  }
  return schema.parse(json);
}
