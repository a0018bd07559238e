/** The part of the port to the database that administration needs. */
import type { User } from "./store.ts";

/** Who did something: a signed-in administrator, or the holder of a secret. */
export interface AuditActor {
  readonly kind: "user" | "api token" | "command line" | "payment provider";
  /** Of a user. */
  readonly id: number | null;
  readonly login: string | null;
}

/** Something that was done, as it is written down. */
export interface NewAuditEntry {
  readonly actor: AuditActor;
  /** What was done, as `user.update`. */
  readonly action: string;
  /** To whom or what: an address, as `/users/4`. */
  readonly target: string | null;
  /** What that was called then. */
  readonly targetName: string | null;
  /** Network address of who asked. */
  readonly clientAddress: string | null;
  /** What else matters; no secrets. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends NewAuditEntry {
  readonly id: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** A page of accounts. */
export interface UserPage {
  /** Part of a login, name or e-mail address; empty for all. */
  readonly query: string;
  /** The last id of the page before, 0 for the first page. */
  readonly after: number;
  readonly limit: number;
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  /** The last id of the page before; null for the newest. */
  readonly before: number | null;
  readonly limit: number;
  readonly target?: string | undefined;
  readonly action?: string | undefined;
}

/** A subscription as the payment provider last told of it. */
export interface Subscription {
  readonly id: string;
  readonly userId: number;
  /** As the provider calls it: `active`, `past_due`, `canceled` … */
  readonly status: string;
  /** Name of its price in the settings. */
  readonly plan: string | null;
  /** Of the period that is paid for, Unix milliseconds. */
  readonly startedAt: number | null;
  readonly endsAt: number | null;
  /** Whether it ends with that period. */
  readonly cancels: boolean;
  /** When the provider said so, Unix milliseconds. */
  readonly toldAt: number;
}

/** Written at once, not through the journal: no actor owns any of it. */
export interface AdminStore {
  /** By id. */
  usersPage(page: UserPage): Promise<User[]>;

  /** Resolves when it is stored. */
  addAuditEntry(entry: NewAuditEntry): Promise<void>;
  auditEntries(page: AuditPage): Promise<AuditEntry[]>;

  /** When the user signed the contributor agreement, Unix milliseconds. [channels 2.6] */
  contributorSince(userId: number): Promise<number | undefined>;
  /** A second signature changes nothing. */
  addContributor(userId: number): Promise<void>;
  /** Logins of all who have signed, by user. */
  contributors(): Promise<string[]>;

  /** The payment provider's name of a user. */
  customerOf(userId: number): Promise<string | undefined>;
  /** @returns the name that the user has now: the first one stays. */
  addCustomer(userId: number, customerId: string): Promise<string>;
  userOfCustomer(customerId: string): Promise<number | undefined>;
  userOfSubscription(id: string): Promise<number | undefined>;
  /** Keeps what was told last; false when something newer is known. */
  putSubscription(subscription: Subscription): Promise<boolean>;
  /** Newest word first. */
  subscriptionsOf(userId: number): Promise<Subscription[]>;
}
