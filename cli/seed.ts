/** `seed`: accounts, channels and who belongs to them, from a JSON file. */
import { z } from "zod";
import { checkLogin } from "../db/login.ts";
import type { AccountToken } from "../db/accounts.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { loginsIn, type Seeded, seedTrees } from "../http/api/seeding.ts";
import { openAccounts } from "./accounts.ts";
import { dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

const seedFile = z.strictObject({
  users: z.array(z.strictObject({
    login: z.string(),
    admin: z.boolean().default(false),
  })).default([]),
  channels: seedTrees.default([]),
});

/** Help for `seed`. */
function seedHelp(): string {
  return `Add the accounts, channels and members that a file names; what is there stays as it is.

  ${programName()} seed [file.json]     without one, the file that SEED_PATH names

  {
    "users": [{"login": "ann", "admin": true}, {"login": "bob"}],
    "channels": [{
      "name": "team", "owner": "ann", "visibility": "public",
      "members": [{"login": "bob", "role": "member"}],
      "channels": [{"name": "design"}]
    }]
  }

  Visibility is public or members (which it is without a word), a role is admin, member, talker, guest
  or banned. Members belong to the whole tree. Channels are told apart by name and place.

  --json                    the accounts that were added, with access tokens, as JSON
${dataFlagsHelp()}`;
}

/**
 * Runs `seed`.
 *
 * @param args command line behind it
 * @throws {UsageError} for a file that cannot be used, or not on this database, before anything is changed
 */
export async function runSeed(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const line = parseCommandLine(args, ["help", "json"]);
  if (line.switches.has("help")) return output.result(seedHelp());
  const [file = env.SEED_PATH || undefined] = line.words;
  if (file === undefined || line.words.length > 1) {
    throw new UsageError('Cannot run "seed": give one file, or set SEED_PATH');
  }
  const { users, channels } = await readSeed(file);
  const accounts = await openAccounts(loadDataConfig(line.dataFlags, env), output.note);
  try {
    const there = new Set((await accounts.list()).map(({ login }) => login.toLowerCase()));
    const missing = users.filter(({ login }) => !there.has(login.toLowerCase()));
    for (const { login } of users) there.add(login.toLowerCase());
    for (const login of loginsIn(channels)) {
      if (!there.has(login.toLowerCase())) {
        throw new UsageError(
          `Cannot seed from ${file}: a channel names "${login}", who has no account`,
        );
      }
    }
    if (channels.length > 0) await accounts.checkChannels(channels);
    const added: AccountToken[] = [];
    const tell = (more: readonly string[]) => {
      if (line.switches.has("json")) return output.result(JSON.stringify(added));
      const names = added.map(({ login }) => login).join(", ");
      const told = `Added ${added.length} of ${users.length} accounts${names && `: ${names}`}`;
      output.result([told, ...more].join("\n"));
    };
    let made: Seeded | undefined;
    try {
      for (const admin of [true, false]) {
        const logins = missing.filter((user) => user.admin === admin).map(({ login }) => login);
        if (logins.length > 0) added.push(...await accounts.add(logins, admin));
      }
      if (channels.length > 0) made = await accounts.seedChannels(channels);
    } catch (error) {
      // Their tokens are not shown again.
      if (added.length > 0) tell([]);
      output.note("Not everything is seeded; when the cause is gone, the same file adds the rest");
      throw error;
    }
    tell(
      made === undefined ? [] : [`Added ${made.channels} channels and ${made.members} members`],
    );
  } finally {
    await accounts.close();
  }
}

async function readSeed(file: string): Promise<z.infer<typeof seedFile>> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof SyntaxError
      ? `it is not JSON: ${error.message}`
      : (error as Error).message;
    throw new UsageError(`Cannot read ${file}: ${reason}`, { cause: error });
  }
  const parsed = seedFile.safeParse(json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new UsageError(`Cannot seed from ${file}: ${[...path, message].join(": ")}`);
  }
  const logins = new Set<string>();
  for (const { login } of parsed.data.users) {
    checkLogin(login);
    if (logins.has(login.toLowerCase())) {
      throw new UsageError(`Cannot seed from ${file}: "${login}" is in it twice`);
    }
    logins.add(login.toLowerCase());
  }
  return parsed.data;
}
