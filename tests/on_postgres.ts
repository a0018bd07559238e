// deno-lint-ignore-file no-console
/**
 * The end-to-end tests once more, each server on a PostgreSQL database of its own.
 *
 *     deno run -A tests/on_postgres.ts                  all of tests/e2e
 *     deno run -A tests/on_postgres.ts tests/e2e/x.ts   what `deno task test` takes
 */
import { TestPostgres } from "./support/postgres.ts";
import { run, summaryLine } from "../scripts/test.ts";

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  const postgres = await TestPostgres.start({ durable: false });
  if (typeof postgres === "string") {
    console.log(`The end-to-end tests on PostgreSQL are skipped: ${postgres}`);
    console.log(summaryLine({ passed: 0, failed: 0, skipped: 1 }));
    Deno.exit(0);
  }
  Deno.env.set("PARLEY_TEST_DATABASE", "postgres");
  for (const [name, value] of Object.entries(postgres.environment)) Deno.env.set(name, value);
  const stop = () => void postgres[Symbol.asyncDispose]().finally(() => Deno.exit(130));
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  // The run on SQLite looks for leaks. Here a client may leave while the database looks it up, and
  // Deno never ends the upgrade of a client that has gone.
  const paths = Deno.args.length > 0 ? Deno.args : ["tests/e2e"];
  const counts = await run(paths, { leaks: false });
  await postgres[Symbol.asyncDispose]();
  console.log(summaryLine(counts));
  Deno.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}
