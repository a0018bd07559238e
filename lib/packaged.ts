/**
 * What `scripts/package/launcher.c` leaves in the environment of the single file for Linux: its own
 * path, and what it set for the runtime, which programs that Parley starts must not inherit.
 */
const EXECUTABLE = "PARLEY_EXECUTABLE";
const KEPT = "PARLEY_KEPT_";

/** The environment as far as it is needed here; `Deno.env`. */
export type Environment = Pick<Deno.Env, "get" | "set" | "delete" | "toObject">;

/** The path of the single file that this program was started from; undefined for any other start. */
export function packagedExecutable(env: Environment = Deno.env): string | undefined {
  return env.get(EXECUTABLE);
}

/** Puts back what the launcher replaced for the runtime. */
export function restoreEnvironment(env: Environment = Deno.env): void {
  for (const [kept, value] of Object.entries(env.toObject())) {
    if (!kept.startsWith(KEPT)) continue;
    const name = kept.slice(KEPT.length);
    if (value === "") env.delete(name);
    else env.set(name, value);
    env.delete(kept);
  }
}
