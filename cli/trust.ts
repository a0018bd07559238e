/** `trust`: an authority of one's own, for clients that check certificates, as Zed does. [local 4b] */
import type { Environment } from "../lib/read_settings.ts";
import { makeDataDir } from "../lib/data_dir.ts";
import { IdentityFiles } from "../local/identity_files.ts";
import { parseCommandLine } from "./args.ts";
import { localDataDir } from "./local_admin.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `trust`. */
function trustHelp(): string {
  return `Make a certificate authority for the local server of this machine, once, and show how other
machines trust it. Zed checks certificates against its system's authorities; Parley's own
programs do not need this: they know the server by the fingerprint of pairing.

  ${programName()} trust             make it, print where its certificate is and what to do
  ${programName()} trust --print     print the certificate alone

  --data-dir <folder>     the local server's data folder`;
}

/** Runs `trust`. @throws {UsageError} {DataDirError} */
export async function runTrust(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { switches, dataFlags } = parseCommandLine(args, ["print", "help"]);
  if (switches.has("help")) return output.result(trustHelp());
  const dataDir = localDataDir(dataFlags, env);
  await makeDataDir(dataDir);
  const files = new IdentityFiles(dataDir);
  const { certificate } = await files.makeAuthority(Deno.hostname(), Date.now());
  output.result(switches.has("print") ? certificate.trim() : instructions(files.authorityPath));
}

/** How each system trusts the authority whose certificate is in a file. */
export function instructions(path: string): string {
  return `The authority's certificate: ${path}
Restart serve-local, so that its certificate is signed by it. Copy the file to each machine whose
Zed shall connect, and there:

  Debian, Ubuntu   sudo cp authority.pem /usr/local/share/ca-certificates/parley.crt
                   sudo update-ca-certificates
  Fedora, RHEL     sudo cp authority.pem /etc/pki/ca-trust/source/anchors/parley.pem
                   sudo update-ca-trust
  Arch             sudo trust anchor authority.pem
  macOS            sudo security add-trusted-cert -d -r trustRoot \\
                     -k /Library/Keychains/System.keychain authority.pem
  Windows          certutil -addstore -f Root authority.pem      (as administrator)

Who has the key beside it (${path.replace(/authority\.pem$/, "authority-key.pem")}) can pretend to
be any site to those machines: it never leaves this one. To undo it, remove the certificate there.`;
}
