/** `user`: add, list, token, remove. */
import type { AccountSummary, AccountToken } from "../db/accounts.ts";
import { type Environment, loadDataConfig } from "../lib/config.ts";
import { type Accounts, openAccounts } from "./accounts.ts";
import { dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";

/** Where a command writes, without line ends. */
export interface Output {
  /** What was asked for: standard output. */
  result(text: string): void;
  /** What is said besides: standard error. */
  note(text: string): void;
}

/** Help for `user`. */
export function userHelp(): string {
  const name = programName();
  return `Manage accounts, whether the server runs or not.

  ${name} user add <login>… [--admin] [--json]   create accounts, print their access tokens
  ${name} user list [--json]                     show all accounts
  ${name} user token <login> [--json]            make a further access token
  ${name} user remove <login> [--json]           remove an account and end its connections

  --admin                 accounts that may administer the server
  --json                  JSON on standard output, and nothing else there
${dataFlagsHelp()}`;
}

/**
 * Runs one `user` command.
 *
 * @param args command line behind `user`.
 * @throws {UsageError} and the errors of the account functions, with messages for people.
 */
export async function runUser(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words, switches, dataFlags } = parseCommandLine(args, ["admin", "json", "help"]);
  const [command, ...logins] = words;
  if (switches.has("help") || command === undefined) {
    output.result(userHelp());
    return;
  }
  const run = commandOf(command, logins, switches);
  const accounts = await openAccounts(loadDataConfig(dataFlags, env), output.note);
  try {
    const { json, text } = await run(accounts);
    output.result(switches.has("json") ? JSON.stringify(json) : text);
  } finally {
    await accounts.close();
  }
}

interface Answer {
  readonly json: unknown;
  readonly text: string;
}

function commandOf(
  command: string,
  logins: readonly string[],
  switches: ReadonlySet<string>,
): (accounts: Accounts) => Promise<Answer> {
  if (switches.has("admin") && command !== "add") {
    throw new UsageError(`Cannot run "user ${command} --admin": only "user add" knows --admin`);
  }
  switch (command) {
    case "add":
      if (logins.length === 0) throw new UsageError('Cannot run "user add": give a login');
      return async (accounts) => {
        const added = await accounts.add(logins, switches.has("admin"));
        return { json: added, text: added.map(tokenText).join("\n\n") };
      };
    case "list":
      if (logins.length > 0) throw new UsageError('Cannot run "user list": it takes no login');
      return async (accounts) => {
        const all = await accounts.list();
        return { json: all, text: listText(all) };
      };
    case "token": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const made = await accounts.addToken(login);
        return { json: [made], text: tokenText(made) };
      };
    }
    case "remove": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const removed = await accounts.remove(login);
        return { json: [removed], text: `Removed ${removed.login} (id ${removed.id})` };
      };
    }
    default:
      throw new UsageError(
        `Cannot run "user ${command}": there are add, list, token and remove`,
      );
  }
}

function onlyLogin(command: string, logins: readonly string[]): string {
  const [login] = logins;
  if (login === undefined || logins.length > 1) {
    throw new UsageError(`Cannot run "user ${command}": give one login`);
  }
  return login;
}

function tokenText({ id, login, token }: AccountToken): string {
  return `login: ${login}\nid:    ${id}\ntoken: ${token}`;
}

function listText(users: readonly AccountSummary[]): string {
  if (users.length === 0) return `No accounts yet; add one with ${programName()} user add <login>`;
  const width = Math.max(...users.map((user) => String(user.id).length), 2);
  const lines = users.map((user) =>
    `${String(user.id).padStart(width)}  ${user.login}${user.admin ? "  (admin)" : ""}`
  );
  return [`${"id".padStart(width)}  login`, ...lines].join("\n");
}
