/** `user`: add, invite, password, list, token, signout, remove. */
import type { AccountSummary, AccountToken } from "../db/accounts.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { type Accounts, type InvitationLink, openAccounts } from "./accounts.ts";
import { dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import { passwordFromTerminal, type PasswordReader } from "./read_password.ts";

/** Where a command writes, without line ends. */
export interface Output {
  /** What was asked for: standard output. */
  result(text: string): void;
  /** What is said besides: standard error. */
  note(text: string): void;
}

/** Help for `user`. */
function userHelp(): string {
  const name = programName();
  return `Manage accounts, whether the server runs or not.

  ${name} user add <login>… [--admin] [--json]   create accounts, print their access tokens
  ${name} user invite <login> [--admin] [--json] make a link for choosing a password, for a
                                                new account or for one that has forgotten it
  ${name} user password <login>                  set a password: typed, or --password-stdin
  ${name} user list [--json]                     show all accounts
  ${name} user token <login> [--json]            make a further access token
  ${name} user signout <login> [--json]          end all tokens, browsers and connections
  ${name} user remove <login> [--json]           remove an account and end its connections

  --admin                 accounts that may administer the server
  --password-stdin        take the password from standard input, up to the end of its first line
  --json                  JSON on standard output, and nothing else there
${dataFlagsHelp()}`;
}

/**
 * Runs one `user` command.
 *
 * @param args command line behind `user`.
 * @param readPassword gets a password from whoever types, or from standard input.
 * @throws {UsageError} and the errors of the account functions, with messages for people.
 */
export async function runUser(
  args: readonly string[],
  env: Environment,
  output: Output,
  readPassword: PasswordReader = passwordFromTerminal,
): Promise<void> {
  const { words, switches, dataFlags } = parseCommandLine(args, [
    "admin",
    "json",
    "help",
    "password-stdin",
  ]);
  const [command, ...logins] = words;
  if (switches.has("help") || command === undefined) {
    output.result(userHelp());
    return;
  }
  const sameData = dataFlags.length === 0 ? "" : ", with the same flags";
  const run = commandOf(command, logins, switches, readPassword, sameData);
  const publicUrl = env.PUBLIC_URL?.replace(/\/+$/, "") || undefined;
  const accounts = await openAccounts(loadDataConfig(dataFlags, env), output.note, publicUrl);
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
  readPassword: PasswordReader,
  sameData: string,
): (accounts: Accounts) => Promise<Answer> {
  if (switches.has("admin") && command !== "add" && command !== "invite") {
    throw new UsageError(
      `Cannot run "user ${command} --admin": only "user add" and "user invite" know --admin`,
    );
  }
  if (switches.has("password-stdin") && command !== "password") {
    throw new UsageError(
      `Cannot run "user ${command} --password-stdin": only "user password" takes one`,
    );
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
        return { json: all, text: listText(all, sameData) };
      };
    case "token": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const made = await accounts.addToken(login);
        return { json: [made], text: tokenText(made) };
      };
    }
    case "invite": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const link = await accounts.invite(login, switches.has("admin"));
        return { json: [link], text: linkText(link) };
      };
    }
    case "password": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const password = await readPassword(login, switches.has("password-stdin"));
        const user = await accounts.setPassword(login, password);
        return { json: [user], text: `Set the password of ${user.login} (id ${user.id})` };
      };
    }
    case "signout": {
      const login = onlyLogin(command, logins);
      return async (accounts) => {
        const user = await accounts.signOut(login);
        return { json: [user], text: `Signed out ${user.login} (id ${user.id}) everywhere` };
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
        `Cannot run "user ${command}": there are add, invite, password, list, token, signout ` +
          `and remove`,
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

function linkText({ login, url, expiresAt }: InvitationLink): string {
  return `Give this link to ${login}; it is good once, until ` +
    `${new Date(expiresAt).toISOString().slice(0, 10)}:\n${url}`;
}

function listText(users: readonly AccountSummary[], sameData: string): string {
  if (users.length === 0) {
    return `No accounts yet; add one with ${programName()} user add <login>${sameData}`;
  }
  const width = Math.max(...users.map((user) => String(user.id).length), 2);
  const lines = users.map((user) =>
    `${String(user.id).padStart(width)}  ${user.login}${user.admin ? "  (admin)" : ""}`
  );
  return [`${"id".padStart(width)}  login`, ...lines].join("\n");
}
