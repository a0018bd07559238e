/** `doctor`: tells step by step why a Zed could not connect. */
import type { Credentials } from "../client/connect.ts";
import { readRunningServer, type RunningServer } from "../http/running_server.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { isDataDirLocked } from "../lib/data_dir.ts";
import { type Accounts, accountsOfServer } from "./accounts.ts";
import { type CommandLine, dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { diagnose } from "./doctor/diagnosis.ts";
import { type Finding, Findings, findingText } from "./doctor/findings.ts";
import { type Means, systemAuthorities, systemResolve } from "./doctor/reach.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** The account that the doctor signs in with where it may make one; removed at the end. */
const OWN_LOGIN = "parley-doctor";
/** How long one answer may take, in milliseconds: less than Zed's 20 s for all. */
const PATIENCE = 10_000;

/** Help for `doctor`. */
function doctorHelp(): string {
  return `Find out why a Zed could not connect.

  ${programName()} doctor [url] [option]…

  url                       what stands as "server_url" in Zed; the server of the data folder
                            unless given
  --login <user id>         sign in as that user; the login, on the server's machine
  --token <token>           with this access token
  --json                    JSON on standard output, and nothing else there
${dataFlagsHelp()}

On the server's machine it signs in with an account of its own ("${OWN_LOGIN}") that it removes
again. Exit code 0: a Zed can connect; 1: it cannot.`;
}

/** What a test replaces. */
export type DoctorMeans = Partial<Omit<Means, "findings">>;

/**
 * Examines a server; resolves with the exit code.
 *
 * @param args command line behind `doctor`.
 * @throws {UsageError} for a command line that makes no sense.
 */
export async function runDoctor(
  args: readonly string[],
  env: Environment,
  output: Output,
  means: DoctorMeans = {},
): Promise<number> {
  const line = parseCommandLine(args, ["json", "help"], ["login", "token"]);
  if (line.switches.has("help")) {
    output.result(doctorHelp());
    return 0;
  }
  if (line.words.length > 1) throw new UsageError('Cannot run "doctor": give one URL');
  const [given] = line.words;
  const local = await runningServer(line, env, given === undefined);
  // Commands have a port of their own where the server has a certificate, which is to be seen too.
  const url = given ?? local?.clientUrl ?? local?.url;
  if (url === undefined) {
    throw new UsageError(
      `Cannot tell which server to examine: none runs on the data folder ${
        loadDataConfig(line.dataFlags, env).dataDir
      }; give its URL, or start it with ${programName()} serve`,
    );
  }
  const json = line.switches.has("json");
  const findings = new Findings((finding) => {
    if (!json) output.result(findingText(finding));
  });
  const all: Means = {
    patience: PATIENCE,
    sessionPatience: PATIENCE,
    authorities: means.authorities ?? systemAuthorities(),
    resolve: systemResolve,
    accountOf: line.values.has("login") ? undefined : local?.url,
    ...means,
    findings,
  };
  await withCredentials(line, local, output, async (credentials) => {
    await diagnose(url, credentials, env, all);
  });
  const healthy = findings.count("failure") === 0;
  output.result(
    json ? JSON.stringify({ url, ok: healthy, steps: findings.all }) : conclusion(findings.all),
  );
  return healthy ? 0 : 1;
}

function conclusion(all: readonly Finding[]): string {
  const failures = all.filter(({ outcome }) => outcome === "failure").length;
  if (failures > 0) {
    return `\n${failures === 1 ? "One problem keeps" : `${failures} problems keep`} a Zed from ` +
      "collaborating there; begin with the first ✗.";
  }
  if (!all.some(({ step }) => step === "liveness")) {
    return "\nNothing was found that keeps a Zed away; what comes after the sign-in was not tried.";
  }
  const warned = all.some(({ outcome }) => outcome === "warning");
  return `\nA Zed can collaborate there${warned ? "; see what stands at each !" : ""}.`;
}

/**
 * The server that runs on the data folder.
 *
 * @throws {DataDirError} it is needed, and this user may not open the folder
 */
async function runningServer(
  line: CommandLine,
  env: Environment,
  isNeeded: boolean,
): Promise<RunningServer | undefined> {
  const { dataDir } = loadDataConfig(line.dataFlags, env);
  try {
    return await isDataDirLocked(dataDir) ? await readRunningServer(dataDir) : undefined;
  } catch (error) {
    // A folder that this user may not open belongs to a server that is not his.
    if (isNeeded) throw error;
    return undefined;
  }
}

async function withCredentials(
  line: CommandLine,
  local: RunningServer | undefined,
  output: Output,
  body: (credentials: Credentials | undefined) => Promise<void>,
): Promise<void> {
  const login = line.values.get("login");
  const token = line.values.get("token");
  if ((login === undefined) !== (token === undefined)) {
    throw new UsageError('Cannot run "doctor": --login and --token belong together');
  }
  if (login !== undefined && token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new UsageError("Cannot sign in: --token has characters that no header can hold");
    }
    await body({ userId: await userId(login, local), token });
    return;
  }
  if (local === undefined) {
    await body(undefined);
    return;
  }
  const accounts = accountsOfServer(local);
  let own: Credentials | undefined;
  try {
    own = await ownAccount(accounts);
  } catch (error) {
    output.note(`Signing in is not tried: ${(error as Error).message}`);
  }
  try {
    await body(own);
  } finally {
    if (own !== undefined) await accounts.remove(OWN_LOGIN);
  }
}

async function userId(login: string, local: RunningServer | undefined): Promise<number> {
  if (/^[1-9]\d{0,9}$/.test(login)) return Number(login);
  const users = local === undefined ? [] : await accountsOfServer(local).list();
  const user = users.find((one) => one.login.toLowerCase() === login.toLowerCase());
  if (user === undefined) {
    throw new UsageError(
      `Cannot tell the id of "${login}": give --login the user's id, as "user list" shows it`,
    );
  }
  return user.id;
}

async function ownAccount(accounts: Accounts): Promise<Credentials> {
  // It is there already where a doctor was ended before its time.
  const isThere = (await accounts.list()).some(({ login }) => login === OWN_LOGIN);
  const [account] = isThere
    ? [await accounts.addToken(OWN_LOGIN)]
    : await accounts.add([OWN_LOGIN], false);
  return { userId: account!.id, token: account!.token };
}
