/** All steps from a `server_url` to a working session, in the order in which a Zed takes them. */
import { type Credentials, handshakeHeaders } from "../../client/connect.ts";
import { PROXY_VARIABLES } from "../../client/node/proxy.ts";
import { prepareZstd } from "../../rpc/zstd.ts";
import { checkAccount, checkHealth, discover } from "./discovery.ts";
import { type Means, reach } from "./reach.ts";
import { examineServerUrl } from "./server_url.ts";
import { checkSession } from "./session.ts";
import { checkUpgrade } from "./upgrade.ts";

/**
 * Goes through the steps, as far as one leads to the next; what it finds is in `means.findings`.
 *
 * @param credentials without them it ends at the point where a Zed would sign in
 * @param env what a Zed that is started here would see
 */
export async function diagnose(
  serverUrl: string,
  credentials: Credentials | undefined,
  env: Readonly<Record<string, string | undefined>>,
  means: Means,
): Promise<void> {
  const { findings } = means;
  const server = examineServerUrl(serverUrl, findings);
  if (server === undefined) return;
  warnOfProxy(env, means);
  const door = await reach(server.url, means);
  if (door === undefined || !await checkHealth(server, door, means)) return;
  const target = await discover(server, door, means);
  if (target === undefined) return;
  const open = await checkUpgrade(target, means);
  const trusted = target.endpoint.trusted ? credentials : undefined;
  let authorization: string | undefined;
  if (open && trusted === undefined) notSignedIn(credentials !== undefined, means);
  else if (open && trusted !== undefined) {
    prepareZstd();
    const signedIn = await checkSession(target, trusted, means);
    if (signedIn && door.trusted) {
      authorization = handshakeHeaders({ credentials: trusted }).authorization;
    }
  }
  await checkAccount(server, door, authorization, means);
}

function notSignedIn(hasCredentials: boolean, { findings }: Means): void {
  if (hasCredentials) {
    findings.warn(
      "handshake",
      "Credentials are not sent there",
      "The certificate is not trusted, so Hello and what follows were not tried",
      "First make the certificate a good one",
    );
  } else {
    findings.warn(
      "handshake",
      "Nobody has signed in",
      "The way is open up to the sign-in; Hello and what follows were not tried",
      "Give --login <user id> --token <token>, or run the doctor on the server's machine",
    );
  }
}

function warnOfProxy(
  env: Readonly<Record<string, string | undefined>>,
  { findings }: Means,
): void {
  const name = PROXY_VARIABLES.find((variable) => env[variable]);
  if (name === undefined) return;
  const shown = env[name]?.replace(/\/\/[^/@]*@/, "//…@");
  findings.warn(
    "proxy",
    `${name} is set here to ${shown}`,
    "A Zed with this environment opens its WebSocket through that proxy, whatever NO_PROXY says; " +
      "the steps below go directly",
    'If the proxy does not reach the server, start Zed without the variable, or set "proxy" in Zed',
  );
}
