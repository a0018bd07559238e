/** `join`: pairs this device with a local server. [local 3] [local 4a] [local 8] */
import {
  AuthenticationError,
  nodeHttpClient,
  pairDevice,
  readFingerprint,
} from "../client/node.ts";
import type { Environment } from "../lib/read_settings.ts";
import { readableFingerprint } from "../local/certificate.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { type DiscoveredServer, findLocalServer } from "./discover.ts";
import { hostOf, readFingerprintFlag } from "./login.ts";
import { programName } from "./program_name.ts";
import { keepLogin, networkOf } from "./session.ts";
import type { FindKey } from "./session/login_store.ts";
import { readServerAddress } from "./session/server_address.ts";
import { SessionError } from "./session/session_error.ts";
import { type Ask, askTerminal } from "./session/terminal.ts";
import { PATIENCE } from "./session/who_am_i.ts";
import type { Output } from "./user.ts";

/** Longest name of a user or of a device. */
const LONGEST_NAME = 80;

/** Help for `join`. */
function joinHelp(): string {
  const name = programName();
  return `Pair this device with a local server.

  ${name} join <name>        a server that "${name} discover" lists
  ${name} join <address>     a server at that address

  --code <code>           the pairing code, which the server shows; asked for unless given
  --name <name>           what the others see; this machine's user unless given
  --device <name>         what the server lists this device as; the host name unless given
  --fingerprint <hex>     the certificate that the server shows; asked for unless given
  --yes                   trust the certificate that is found, unseen
  --json                  JSON on standard output, and nothing else there

It becomes the server that commands speak with; "${name} servers" lists all of them.`;
}

/** What a test replaces. */
export interface JoinMeans {
  readonly ask?: Ask;
  readonly find?: (name: string) => Promise<DiscoveredServer | undefined>;
  readonly findKey?: FindKey;
}

/** A server to be paired with. */
interface Target {
  readonly name: string;
  readonly url: string;
  readonly isHere: boolean;
  readonly needsCode: boolean;
  /** What the network says that the certificate is; nobody vouches for that. */
  readonly discovered: string | undefined;
}

/** Runs `join`. @throws {UsageError} {SessionError} {ConnectError} */
export async function runJoin(
  args: readonly string[],
  env: Environment,
  output: Output,
  means: JoinMeans = {},
): Promise<void> {
  const { words, switches, values } = parseCommandLine(
    args,
    ["yes", "json", "help"],
    ["code", "name", "device", "fingerprint"],
  );
  if (switches.has("help")) return output.result(joinHelp());
  const [word, ...more] = words;
  if (word === undefined || more.length > 0) {
    throw new UsageError(
      `Cannot pair: give one name (in quotes if it has spaces) or address; ${programName()} join --help`,
    );
  }
  const user = values.get("name") ?? userOf(env);
  const ask = means.ask ?? askTerminal;
  const target = await targetOf(word, means.find ?? findLocalServer);
  const { url } = target;
  // With a code the server knows: that of an account says whose the device is.
  if (user.trim() === "" && !target.needsCode && !values.has("code")) {
    throw new UsageError(
      "Cannot pair: this machine does not tell who you are; give it with --name",
    );
  }
  const pin = readFingerprintFlag(values.get("fingerprint"), url) ??
    await compare(target, switches.has("yes"), ask, output);
  const network = networkOf(pin, url, env);
  const code = values.get("code") ?? (target.needsCode ? await askCode(ask) : undefined);
  const http = nodeHttpClient(network);
  try {
    const { credentials, login } = await pairDevice(
      { serverUrl: url, http, signal: AbortSignal.timeout(PATIENCE) },
      {
        code,
        name: user,
        device: (values.get("device") ?? Deno.hostname()).slice(0, LONGEST_NAME) || "parley",
      },
    );
    const kept = await keepLogin(
      {
        name: target.name,
        url,
        fingerprint: pin ?? null,
        userId: Number(credentials.userId),
        login,
      },
      credentials,
      env,
      means.findKey,
    );
    output.result(
      switches.has("json") ? JSON.stringify(kept) : `Paired with ${kept.name} as ${login}`,
    );
  } catch (error) {
    if (user.trim() !== "" || !(error instanceof AuthenticationError)) throw error;
    throw new SessionError(
      `${error.message} (This machine does not tell who you are: give it with --name, unless the ` +
        "code was made for your account)",
      { cause: error },
    );
  } finally {
    http.close();
  }
}

async function targetOf(
  word: string,
  find: (name: string) => Promise<DiscoveredServer | undefined>,
): Promise<Target> {
  if (word.includes("://")) {
    const { url, isHere } = readServerAddress(word);
    return { name: hostOf(url), url, isHere, needsCode: !isHere, discovered: undefined };
  }
  const found = await find(word);
  if (found === undefined) {
    throw new SessionError(
      `Cannot find the server "${word}" on this network: ${programName()} discover lists those ` +
        "that are there; or give its address, which it shows at its start",
    );
  }
  const { name, url, state, fingerprint, pairing } = found;
  if (state === "unreachable" || fingerprint === null) {
    throw new SessionError(
      `Cannot reach ${name}: it is announced on this network, but answers at none of ${
        found.urls.join(", ")
      } with the certificate that it announces`,
    );
  }
  return { name, url, isHere: false, needsCode: pairing !== "none", discovered: fingerprint };
}

/** The fingerprint that the user has compared; none for a server of this machine without TLS. */
async function compare(
  { url, discovered }: Target,
  isTrusted: boolean,
  ask: Ask,
  output: Output,
): Promise<string | undefined> {
  if (!url.startsWith("https:")) return undefined;
  const found = discovered ?? await readFingerprint(url, AbortSignal.timeout(PATIENCE));
  output.note(`The fingerprint of ${url} is\n\n  ${readableFingerprint(found)}\n`);
  if (isTrusted) return found;
  const answer = await ask("Is that what the server shows? [y/N] ");
  if (answer === undefined) {
    throw new UsageError(
      "Cannot ask whether this is the right server: there is no terminal; give its --fingerprint",
    );
  }
  if (!/^y(?:es)?$/i.test(answer)) {
    throw new SessionError(
      "Not paired: somebody may stand between, or it is another server; nothing was sent",
    );
  }
  return found;
}

async function askCode(ask: Ask): Promise<string> {
  const code = await ask("Pairing code, which the server shows: ");
  if (code) return code;
  throw new UsageError("Cannot pair without a code: give it with --code");
}

function userOf(env: Environment): string {
  return (env.USER || env.LOGNAME || env.USERNAME || "").slice(0, LONGEST_NAME);
}
