// deno-lint-ignore-file no-console
/**
 * Runs every generator: `.proto` files, code and documents that are made from other files.
 *
 *     deno task gen            writes them
 *     deno task gen --check    fails when one of them is stale
 */

/** A script that writes files, or with `--check` compares them and fails when they differ. */
export interface Generator {
  readonly script: string;
  /** What it writes, for messages. */
  readonly what: string;
}

/** In the order in which they run: what others are made from comes first. */
export const GENERATORS: readonly Generator[] = [
  { script: "scripts/gen_proto.ts", what: "proto/*.proto" },
  { script: "scripts/compile_proto.ts", what: "proto/generated/" },
  { script: "scripts/gen_lock.ts", what: "deno.lock" },
  { script: "scripts/gen_config_docs.ts", what: "docs/CONFIGURATION.md" },
  { script: "scripts/gen_metrics_docs.ts", what: "docs/METRICS.md" },
  { script: "scripts/gen_dashboard.ts", what: "deploy/grafana-dashboard.json" },
  { script: "scripts/gen_endpoint_docs.ts", what: "docs/ENDPOINTS.md" },
  { script: "scripts/gen_admin_api_docs.ts", what: "docs/ADMIN-API.md, docs/openapi.json" },
  { script: "scripts/gen_routes_docs.ts", what: "docs/PROTOCOL.md" },
  { script: "scripts/gen_errors_docs.ts", what: "docs/ERRORS.md" },
  { script: "scripts/spec_coverage.ts", what: "docs/SPEC-COVERAGE.md" },
];

/** Runs one generator; false when it fails or, to check, when its files are stale. */
export async function runGenerator(generator: Generator, check: boolean): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", generator.script, ...(check ? ["--check"] : [])],
    cwd: new URL("..", import.meta.url),
    stdin: "null",
  }).spawn();
  return (await child.status).success;
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  let passed = true;
  for (const generator of GENERATORS) {
    const fine = await runGenerator(generator, check);
    console.log(`${fine ? "ok    " : "FAILED"} ${generator.what}`);
    if (!fine) passed = false;
  }
  Deno.exit(passed ? 0 : 1);
}
