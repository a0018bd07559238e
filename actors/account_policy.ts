/** What the configuration decides about accounts, for actors that tell clients of it. */
import type { User } from "../db/store.ts";

/** What is said to whoever asks for models that are not there. [transport 9.5] */
export const MODELS_UNAVAILABLE = "AI features are not available on this server";

/** What a client says about itself when it asks for a model token. */
export interface ModelTokenRequest {
  readonly systemId: string | null;
  readonly organizationId: string | null;
}

export interface AccountPolicy {
  /** Whether Zed is told that the user is staff. [transport 3.4.6] */
  isStaff(user: Pick<User, "admin" | "staff">): boolean;
  /** Root channel that new users join as guests. [channels 2.7] */
  readonly welcomeChannel: number | undefined;
  /** A token for the model proxy, undefined where there is none. [transport 9] */
  createModelToken(user: User, request: ModelTokenRequest): Promise<string> | undefined;
}

/** Nobody is staff and there are no models: a server without settings. */
export const plainAccounts: AccountPolicy = {
  isStaff: () => false,
  welcomeChannel: undefined,
  createModelToken: () => undefined,
};
