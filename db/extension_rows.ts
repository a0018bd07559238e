/** {@link ExtensionStore} by the queries that both databases answer alike. */
import { type Kysely, sql } from "kysely";
import type { ExtensionFacts, ExtensionStore } from "./extension_store.ts";
import type { Schema } from "./schema.ts";
import type { QueryRunner } from "./sign_in_rows.ts";

const key = ["extension_id", "version"] as const;

export class ExtensionRows implements ExtensionStore {
  readonly #runner: QueryRunner;
  readonly #db: Kysely<Schema>;

  constructor(runner: QueryRunner) {
    this.#runner = runner;
    this.#db = runner.kysely;
  }

  async facts(): Promise<ExtensionFacts[]> {
    const rows = await this.#runner.ask(
      "extension_versions",
      this.#db.selectFrom("extension_versions").selectAll().orderBy("extension_id")
        .orderBy("version"),
    );
    return rows.map((row) => ({
      id: row.extension_id,
      version: row.version,
      downloads: row.downloads,
      yankedAt: row.yanked_at,
    }));
  }

  async countDownload(id: string, version: string): Promise<void> {
    await this.#runner.run(
      this.#db.insertInto("extension_versions")
        .values({ extension_id: id, version, downloads: 1, yanked_at: null })
        .onConflict((on) =>
          on.columns(key).doUpdateSet({
            downloads: sql<number>`${sql.ref("extension_versions.downloads")} + 1`,
          })
        ).returning("downloads"),
    );
  }

  async setYanked(id: string, version: string, yanked: boolean): Promise<void> {
    const at = yanked ? this.#runner.now() : null;
    await this.#runner.run(
      this.#db.insertInto("extension_versions")
        .values({ extension_id: id, version, downloads: 0, yanked_at: at })
        .onConflict((on) =>
          on.columns(key).doUpdateSet({
            yanked_at: at === null
              ? null
              : sql<number>`coalesce(${sql.ref("extension_versions.yanked_at")}, ${at})`,
          })
        ).returning("downloads"),
    );
  }
}
