/** What the routes need of the server. */
import type { Actors } from "../actors/start.ts";
import type { Store } from "../db/store.ts";
import type { Config } from "../lib/config.ts";
import type { Pairing } from "../local/port.ts";
import type { Log } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Admission } from "./admission.ts";
import type { ExtensionRegistry } from "./extensions/extension_registry.ts";
import type { GuessLimit } from "./guess_limit.ts";
import type { RequestLimits } from "./request_limits.ts";
import type { Notices } from "./client_api/notices.ts";
import type { TelemetryFiles } from "./client_api/telemetry_files.ts";
import type { Payments } from "./billing/payments.ts";
import type { Plans } from "./plans.ts";
import type { Strategy } from "./strategies.ts";
import type { SocketTickets } from "./socket_tickets.ts";
import type { SignIn } from "./signin/sign_in.ts";

export interface HttpDeps {
  /** Where reports of clients are kept; undefined where they are dropped. */
  readonly telemetry: TelemetryFiles | undefined;
  readonly config: Config;
  readonly actors: Actors;
  readonly admission: Admission;
  readonly notices: Notices;
  readonly tickets: SocketTickets;
  readonly guesses: GuessLimit;
  readonly limits: RequestLimits;
  readonly signIn: SignIn;
  /** How devices get in in local mode; undefined in any other. */
  readonly pairing: Pairing | undefined;
  /** What is accepted as a user's token besides ours. */
  readonly strategies: readonly Strategy[];
  readonly store: Store;
  readonly plans: Plans;
  /** Undefined where nobody pays. */
  readonly payments: Payments | undefined;
  /** The server's own registry; undefined where requests for extensions are sent on. */
  readonly extensions: ExtensionRegistry | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly adminSecret: string;
  readonly version: string;
}
