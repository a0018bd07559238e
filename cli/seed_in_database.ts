/** Channels of a seed file where no server runs: its actors make them, without anybody to tell. */
import type { Store } from "../db/store.ts";
import { ApiError } from "../http/api/endpoint.ts";
import type { Seeded, SeedTree } from "../http/api/seeding.ts";
import type { DataConfig } from "../lib/data_location.ts";
import { lockDataDir } from "../lib/data_dir.ts";
import { UsageError } from "./args.ts";
import { openStore } from "./open_store.ts";

/**
 * Makes what is missing, on a database that nobody else uses meanwhile.
 *
 * @param store the database, for an embedded one
 * @param check only looks whether it could be done
 * @throws {UsageError} for what the rules of channels forbid
 * @throws {DataDirError} {StoreUnavailableError} while a server has the database
 */
export async function seedInDatabase(
  { database, dataDir }: Pick<DataConfig, "database" | "dataDir">,
  store: Store,
  trees: readonly SeedTree[],
  { check = false }: { readonly check?: boolean } = {},
): Promise<Seeded> {
  const { systemClock } = await import("../lib/clock.ts");
  const { Actors } = await import("../actors/start.ts");
  const { checkSeed, seedChannels } = await import("../http/api/seeding.ts");
  const { createLog } = await import("../lib/log.ts");
  const { createMetrics } = await import("../lib/metrics.ts");
  const { protocolTimes } = await import("../lib/times.ts");
  const { mediaOff } = await import("../media/off.ts");
  const lock = await lockDataDir(dataDir);
  // A server elsewhere may have a remote database, whatever this machine's folder says.
  const own = database.kind === "postgres" ? await openStore(database, { exclusive: true }) : store;
  try {
    const actors = await Actors.start({
      store: own,
      clock: systemClock,
      times: protocolTimes,
      media: mediaOff,
      metrics: createMetrics(),
      log: createLog(),
      avatarUrl: () => "",
      failed: () => {},
    });
    try {
      if (check) {
        await checkSeed({ actors }, trees);
        return { channels: 0, members: 0 };
      }
      return await seedChannels({ actors, store: own }, trees);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new UsageError(`Cannot add the channels: ${error.message}`, { cause: error });
    } finally {
      await actors.drain();
      actors.clock.end();
    }
  } finally {
    if (own !== store) await own.close();
    lock.release();
  }
}
