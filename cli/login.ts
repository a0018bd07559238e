/** `login`: signs this device in to a server with accounts. [local 8] */
import { z } from "zod";
import {
  browserSignIn,
  type Credentials,
  type Network,
  nodeHttpClient,
  normalizePin,
} from "../client/node.ts";
import type { Environment } from "../lib/read_settings.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import { firstLine } from "./read_password.ts";
import { keepLogin, networkOf } from "./session.ts";
import type { FindKey } from "./session/login_store.ts";
import { readServerAddress } from "./session/server_address.ts";
import { showInBrowser } from "./session/terminal.ts";
import { PATIENCE, whoAmI } from "./session/who_am_i.ts";
import type { Output } from "./user.ts";

/** Help for `login`. */
function loginHelp(): string {
  const name = programName();
  return `Sign this device in to a server with accounts.

  ${name} login <address>            with a browser of this machine
  ${name} login <address> --token    with a token from standard input: a line with the user's id
                              and the token, or what "${name} user token <login> --json" prints

  --name <name>           what to call the server, its host name unless given
  --fingerprint <hex>     the one certificate to trust, where no authority vouches for it
  --no-browser            show the address and open nothing
  --insecure              send the login without TLS over a network: everybody on the way can read it
  --json                  JSON on standard output, and nothing else there

It becomes the server that commands speak with; "${name} servers" lists all of them. Logins are
kept sealed in the folder parley of the user's settings; see docs/CLIENT.md.`;
}

/** What a test replaces. */
export interface LoginMeans {
  readonly input?: ReadableStream<Uint8Array>;
  readonly open?: (url: string) => void | Promise<void>;
  readonly findKey?: FindKey;
}

/** Runs `login`. @throws {UsageError} {SessionError} {ConnectError} */
export async function runLogin(
  args: readonly string[],
  env: Environment,
  output: Output,
  means: LoginMeans = {},
): Promise<void> {
  const { words, switches, values } = parseCommandLine(
    args,
    ["token", "no-browser", "insecure", "json", "help"],
    ["name", "fingerprint"],
  );
  if (switches.has("help")) return output.result(loginHelp());
  const [address, ...more] = words;
  if (address === undefined || more.length > 0) {
    throw new UsageError(`Cannot sign in: give one address; ${programName()} login --help`);
  }
  const { url } = readServerAddress(address, switches.has("insecure"));
  const fingerprint = readFingerprintFlag(values.get("fingerprint"), url);
  const network = networkOf(fingerprint, url, env);
  const open = means.open ?? showInBrowser(output, !switches.has("no-browser"));
  const credentials = switches.has("token")
    ? readToken(await firstLine(means.input ?? Deno.stdin.readable))
    : await signIn(url, network, open);
  const login = await whoAmI(url, credentials, network);
  const kept = await keepLogin(
    {
      name: values.get("name") ?? hostOf(url),
      url,
      fingerprint: fingerprint ?? null,
      userId: Number(credentials.userId),
      login: login ?? null,
    },
    credentials,
    env,
    means.findKey,
  );
  output.result(
    switches.has("json")
      ? JSON.stringify(kept)
      : `Signed in to ${kept.name}${login === undefined ? "" : ` as ${login}`}`,
  );
}

/** The pin of a command line. @throws {UsageError} it is none */
export function readFingerprintFlag(text: string | undefined, url: string): string | undefined {
  if (text === undefined) return undefined;
  const pin = normalizePin(text);
  if (!/^[0-9a-f]{64}$/.test(pin)) {
    throw new UsageError(`Cannot use the fingerprint ${text}: it has 64 hexadecimal digits`);
  }
  if (!url.startsWith("https:")) {
    throw new UsageError(`Cannot use a fingerprint with ${url}: it shows no certificate`);
  }
  return pin;
}

/** A host with its port and path: what a server is called that has no name. */
export function hostOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.replace(/\/$/, "")}`;
}

async function signIn(
  serverUrl: string,
  network: Network,
  open: (url: string) => void | Promise<void>,
): Promise<Credentials> {
  const http = nodeHttpClient(network);
  try {
    // Whoever is not there is told at once, and not after the time that a browser has.
    const answer = await http.request(serverUrl, { signal: AbortSignal.timeout(PATIENCE) });
    await answer.body?.cancel();
    const { signal } = new AbortController();
    return await browserSignIn({ open }).signIn({ serverUrl, http, signal });
  } finally {
    http.close();
  }
}

const printed = z.tuple([z.object({ id: z.int().min(1), token: z.string() })]);

/** As `<id> <token>`, or as `user token --json` prints it. */
function readToken(line: string): Credentials {
  const [, id, token] = /^\s*(\d{1,10})\s+([\x21-\x7e]+)\s*$/.exec(line) ?? [];
  const userId = Number(id);
  if (token !== undefined && userId > 0 && userId < 2 ** 31) return { userId, token };
  try {
    const [made] = printed.parse(JSON.parse(line));
    return { userId: made.id, token: made.token };
  } catch {
    throw new UsageError(
      "Cannot read the token: give one line with the user's id, a space and the token, or what " +
        `${programName()} user token <login> --json prints`,
    );
  }
}
