/** `devices`: what has got into the local server of this machine, and how to throw it out. [local 3c] */
import { z } from "zod";
import type { Environment } from "../lib/read_settings.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { askServer, localDataDir } from "./local_admin.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `devices`. */
function devicesHelp(): string {
  const name = programName();
  return `Devices that may use the local server of this machine.

  ${name} devices                 list them
  ${name} devices revoke <id>     throw one out; its connections end at once

A browser that was paired signs in editors without another code: throw out both.

  --json                  JSON on standard output, and nothing else there
  --data-dir <folder>     the local server's data folder`;
}

/** A program's is a number; a browser's says so. */
const ID = /^(?:[1-9]\d{0,14}|browser-[\w-]{8})$/;

const device = z.object({
  id: z.string(),
  login: z.string(),
  name: z.string().nullable(),
  label: z.string().nullable(),
  createdAt: z.number(),
  lastUsedAt: z.number().nullable(),
});
const revoked = z.object({ id: z.string(), login: z.string() });

/** Runs `devices`. @throws {UsageError} {ServerRefusedError} {DataDirError} */
export async function runDevices(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words: [command = "list", id, ...more], switches, dataFlags } = parseCommandLine(args, [
    "json",
    "help",
  ]);
  if (switches.has("help")) return output.result(devicesHelp());
  const dataDir = localDataDir(dataFlags, env);
  const json = switches.has("json");
  if (command === "revoke" && id !== undefined && ID.test(id) && more.length === 0) {
    const done = await askServer(dataDir, "DELETE", `devices/${id}`, revoked);
    return output.result(json ? JSON.stringify(done) : `Revoked device ${id} of ${done.login}`);
  }
  if (command !== "list" || id !== undefined) {
    throw new UsageError(
      `Cannot understand "devices ${words(command, id, more)}": there are list and revoke <id>`,
    );
  }
  const found = await askServer(dataDir, "GET", "devices", z.array(device));
  output.result(json ? JSON.stringify(found) : listing(found));
}

function words(command: string, id: string | undefined, more: readonly string[]): string {
  return [command, ...(id === undefined ? [] : [id]), ...more].join(" ");
}

function listing(devices: readonly z.infer<typeof device>[]): string {
  if (devices.length === 0) return "No device is paired";
  const rows = devices.map(({ id, login, label, lastUsedAt }) => [
    id,
    login,
    label ?? "-",
    lastUsedAt === null ? "never" : new Date(lastUsedAt).toLocaleString(),
  ]);
  const all = [["id", "user", "device", "last used"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd())
    .join("\n");
}
