/** What of an editor's environment means something to a library. [transport 3.8.5] */
import type { ClientOptions } from "../collab_client.ts";
import { withImpersonation } from "../sign_in/impersonation.ts";
import { environmentOf, type Network } from "./network.ts";

/** Options that the environment sets; those of a program go before or behind, as it likes. */
export type EnvironmentOptions = Partial<
  Pick<ClientOptions, "serverUrl" | "rpcUrl" | "isImpersonating" | "disableStaff" | "signIn">
>;

/**
 * Reads `ZED_SERVER_URL`, `ZED_RPC_URL`, `ZED_DISABLE_STAFF`, `ZED_IMPERSONATE`, and with it
 * `ZED_ADMIN_API_TOKEN`, unless `ZED_WEB_LOGIN` asks for the browser. A variable that is empty counts
 * as not set. [transport 4.3.1]
 */
export function environmentOptions(network: Network = {}): EnvironmentOptions {
  const read = environmentOf(network);
  const [serverUrl, rpcUrl] = [read("ZED_SERVER_URL"), read("ZED_RPC_URL")];
  const [login, adminToken] = [read("ZED_IMPERSONATE"), read("ZED_ADMIN_API_TOKEN")];
  return {
    ...(serverUrl && { serverUrl }),
    ...(rpcUrl && { rpcUrl }),
    ...(read("ZED_DISABLE_STAFF") && { disableStaff: true }),
    ...(login && { isImpersonating: true }),
    ...(login && adminToken && !read("ZED_WEB_LOGIN") &&
      { signIn: withImpersonation(login, adminToken) }),
  };
}

/** `ZED_CLIENT_CHECKSUM_SEED`, for {@link telemetryEndpoint}; undefined where it is not set. */
export function environmentChecksumSeed(network: Network = {}): string | undefined {
  return environmentOf(network)("ZED_CLIENT_CHECKSUM_SEED") || undefined;
}
