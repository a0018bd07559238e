/** What the server's pages need of the local mode. */

/** What became of a code that somebody typed. */
export type Redemption =
  /** `login` is whom the code was made for; undefined where the device chooses its name. */
  | { readonly kind: "right"; readonly login: string | undefined }
  | { readonly kind: "wrong" }
  /** Too many wrong tries within a minute. */
  | { readonly kind: "wait" }
  /** Too many wrong tries: until the operator unlocks, or the server starts anew. */
  | { readonly kind: "locked" };

/** A code that is good now. */
export interface PairingCode {
  /** As people read it: `ABCD-2345`. */
  readonly text: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** How devices get in. [local 3] */
export interface Pairing {
  /** The code for any device. */
  readonly current: PairingCode;
  /** Fingerprint of the certificate that other machines see. [local 4a] */
  readonly fingerprint: string | undefined;
  /** Whether who comes from an address has to show a code. [local 3d] */
  needsCode(address: string): boolean;
  /**
   * Checks what somebody at an address has typed; a right code is used up.
   *
   * @param isUsable whether the right code leads anywhere; else it stays good
   */
  redeem(
    typed: string,
    address: string,
    isUsable?: (login: string | undefined) => boolean,
  ): Redemption;
  /** A code for one more device of an account; the account's earlier one is void. */
  forLogin(login: string): PairingCode;
  /** Lets locked addresses try again. */
  unlock(): void;
}

/** A set of networks. [local 5] */
export interface NetworkList {
  /** Whether an address, as a socket tells it, is in one of them. */
  has(address: string): boolean;
}
