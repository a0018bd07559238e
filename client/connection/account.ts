/** The account document of 2026: profile, organizations, plan. [transport 3.6] [transport 7.6] */
import { chainText } from "../errors.ts";
import type { Credentials } from "../credentials/store.ts";
import { serviceUrl } from "../http/base_urls.ts";
import type { HttpClient } from "../http/http_client.ts";
import { Listeners } from "../listeners.ts";
import { authorization } from "./login.ts";

/** Who is signed in. */
export interface AccountUser {
  /** From the credentials, which every message carries; not from the document. [transport 3.6.2] */
  readonly id: bigint;
  readonly login: string;
  readonly username: string;
  readonly name: string | undefined;
  readonly avatarUrl: string;
  readonly isStaff: boolean;
  readonly metricsId: string;
}

/** One of the account's organizations. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly isPersonal: boolean;
}

/** What the account document holds, for programs. */
export interface AccountDocument {
  readonly user: AccountUser;
  readonly featureFlags: readonly string[];
  readonly organizations: readonly Organization[];
  readonly defaultOrganizationId: string | undefined;
  readonly plan: unknown;
}

/** What an {@link Account} needs. */
export interface AccountOptions {
  readonly serverUrl: () => string;
  readonly http: HttpClient;
  readonly credentials: () => Credentials | undefined;
  /** The installation's id, where the program has one. */
  readonly systemId: string | undefined;
  readonly warn: (text: string) => void;
}

/** The account as it was loaded last; empty while nobody is signed in. */
export class Account {
  /** Told whenever it changes. */
  readonly changes: Listeners<void>;
  readonly #options: AccountOptions;
  #document: AccountDocument | undefined;
  #organizationId: string | undefined;
  /** Counts what is asked, so that a late answer changes nothing. */
  #asked = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.changes = new Listeners<void>();
  }

  /** Who is signed in; undefined also when the document could not be loaded. [transport 3.6.1] */
  get user(): AccountUser | undefined {
    return this.#document?.user;
  }

  /** The whole document. */
  get document(): AccountDocument | undefined {
    return this.#document;
  }

  /** The chosen organization, else the default one, else the first. [transport 3.6.4] */
  get organization(): Organization | undefined {
    const { organizations = [], defaultOrganizationId } = this.#document ?? {};
    const byId = (id: string | undefined) => organizations.find((one) => one.id === id);
    return byId(this.#organizationId) ?? byId(defaultOrganizationId) ?? organizations[0];
  }

  /** Loads it; a failure leaves nobody, and is told to the log. [transport 3.6.1] */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    let document: AccountDocument | undefined;
    try {
      document = await this.#ask();
    } catch (error) {
      this.#options.warn(`Cannot load the account: ${chainText(error)}`);
    }
    if (asked !== this.#asked) return;
    this.#document = document;
    this.changes.tell();
  }

  /** Forgets it: signed out. [transport 3.6.3] */
  clear(): void {
    this.#asked++;
    if (this.#document === undefined && this.#organizationId === undefined) return;
    this.#document = undefined;
    this.#organizationId = undefined;
    this.changes.tell();
  }

  /**
   * Chooses an organization for this session, and tells the server.
   *
   * @throws {Error} the server did not take it; the choice stays. [transport 3.6.5]
   */
  async choose(organizationId: string | undefined): Promise<void> {
    this.#organizationId = organizationId;
    this.changes.tell();
    const url = serviceUrl(this.#options.serverUrl(), "cloud", "/client/system_settings");
    const response = await this.#options.http.request(url, {
      method: "PATCH",
      headers: this.#headers(),
      body: JSON.stringify({ selected_organization_id: organizationId ?? null }),
    });
    await response.body?.cancel();
    if (response.ok) return;
    throw new Error(
      `Cannot keep the choice of the organization: ${url} answers ${response.status}`,
    );
  }

  async #ask(): Promise<AccountDocument> {
    const credentials = this.#options.credentials();
    if (credentials === undefined) throw new Error("Nobody is signed in");
    const url = serviceUrl(this.#options.serverUrl(), "cloud", "/client/users/me");
    const response = await this.#options.http.request(url, { headers: this.#headers() });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${url} answers ${response.status}`);
    }
    return readDocument(await response.json(), BigInt(credentials.userId));
  }

  #headers(): Record<string, string> {
    const credentials = this.#options.credentials();
    const { systemId } = this.#options;
    return {
      "content-type": "application/json",
      ...(credentials !== undefined && { "authorization": authorization(credentials) }),
      ...(systemId !== undefined && { "x-zed-system-id": systemId }),
    };
  }
}

/** @throws {TypeError} a field is missing, or of another type. */
function readDocument(json: unknown, id: bigint): AccountDocument {
  const document = object(json, "the document");
  const user = object(document.user, "user");
  const login = text(user.github_login, "user.github_login");
  const { organizations = [], feature_flags: flags = [], default_organization_id } = document;
  if (!Array.isArray(organizations) || !Array.isArray(flags)) {
    throw new TypeError("Both organizations and feature_flags have to be lists");
  }
  return {
    user: {
      id,
      login,
      username: typeof user.username === "string" ? user.username : login,
      name: typeof user.name === "string" ? user.name : undefined,
      avatarUrl: text(user.avatar_url, "user.avatar_url"),
      isStaff: user.is_staff === true,
      metricsId: text(user.metrics_id, "user.metrics_id"),
    },
    featureFlags: flags.map((flag) => text(flag, "feature_flags")),
    organizations: organizations.map((item) => {
      const organization = object(item, "organizations");
      return {
        id: text(organization.id, "organizations.id"),
        name: text(organization.name, "organizations.name"),
        isPersonal: organization.is_personal === true,
      };
    }),
    defaultOrganizationId: typeof default_organization_id === "string"
      ? default_organization_id
      : undefined,
    plan: object(document.plan, "plan"),
  };
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new TypeError(`${name} is no object`);
}

function text(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${name} is no text`);
}
