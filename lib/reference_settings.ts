/** Variables that the reference server reads and this one does not need. [transport 6.3.3] */
import type { Environment } from "./read_settings.ts";

/** By name, or by what names begin with: why nothing reads it here. */
const unusedVariables: Readonly<Record<string, string>> = {
  INVITE_LINK_PREFIX: "links begin with PUBLIC_URL",
  ZED_ENVIRONMENT: "one database is one environment",
  "KINESIS_": "telemetry is dropped, or kept in files with TELEMETRY=store",
  LLM_DATABASE_URL: "models are a proxy's, which LLM_API_SECRET signs tokens for",
  MIGRATIONS_PATH: "migrations are part of the program",
  SUPERMAVEN_ADMIN_API_KEY: "that service is not offered",
  USER_BACKFILLER_GITHUB_ACCESS_TOKEN: "profiles come with each sign-in",
};

/** One line for each such variable that is set, so that nobody waits for its effect. */
export function notesOn(env: Environment): string[] {
  return Object.keys(env).filter((name) => env[name] !== "").sort().flatMap((name) => {
    const known = Object.keys(unusedVariables)
      .find((key) => key.endsWith("_") ? name.startsWith(key) : name === key);
    return known === undefined
      ? []
      : [`${name} is set and has no effect here: ${unusedVariables[known]}`];
  });
}
