/** Services elsewhere that know who somebody is. */

/** What a provider says of somebody. */
export interface ExternalIdentity {
  /** `github`, or the address of an OIDC provider. */
  readonly provider: string;
  /** The provider's own, lasting name of the person. */
  readonly subject: string;
  /** What the person is called there; may be no login of ours, and may change. */
  readonly login: string | undefined;
  readonly name: string | null;
  readonly avatarUrl: string | null;
}

/** What has to come back unchanged, and what only we know. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A provider's answer that proves nothing; the message is for people. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
}

export interface Provider {
  /** In our paths. */
  readonly id: "github" | "oidc";
  /** For the button. */
  readonly label: string;
  /** Where the browser proves who it is. @throws {ProviderError} */
  begin(callback: string, challenge: Challenge): Promise<URL>;
  /**
   * Who it was.
   *
   * @param callback where the browser came back to, with the provider's query
   * @throws {ProviderError}
   */
  finish(callback: URL, challenge: Challenge): Promise<ExternalIdentity>;
}

/** Milliseconds that a provider may take to answer. */
export const PATIENCE = 10_000;

/** A picture's address that clients can fetch; null for anything else. */
export function pictureUrl(text: unknown): string | null {
  const url = typeof text === "string" && text.length <= 2_000 ? URL.parse(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}

/** A name as people see it; null for anything else. */
export function personName(text: unknown): string | null {
  const name = typeof text === "string" ? text.replaceAll(/\p{Cc}/gu, "").trim().slice(0, 200) : "";
  return name === "" ? null : name;
}
