/** A device that gets in by a code, or from this machine by a name alone. [local 3] */
import { maxLoginLength } from "../../db/login.ts";
import { LoginTakenError, type Store, type User } from "../../db/store.ts";
import type { Pairing } from "../../local/port.ts";

/** What somebody has typed. */
export interface PairingRequest {
  readonly code: string;
  /** What the others see; for a code of an account it does not matter. */
  readonly name: string;
  /** Where it came from. */
  readonly address: string;
}

/** What became of it; `status` is HTTP's, `error` is for people. */
export type PairingVerdict =
  | { readonly user: User }
  | { readonly status: 400 | 401 | 403 | 409 | 423 | 429; readonly error: string };

/** Longest display name, in characters. */
export const maxNameLength = 80;

const WRONG = "That code is not good: it was used, has changed, or was mistyped. " +
  "The machine that runs the server shows the one that is good now.";
const WAIT = "Too many wrong codes. Wait a minute, then try again.";
const LOCKED =
  "Too many wrong codes from this device. Whoever runs the server can let it try again " +
  "with parley pair --unlock.";
const NAMELESS = `A name is needed: 1 to ${maxNameLength} characters, with a letter or a digit.`;
const DISABLED = "This account is disabled. Ask whoever runs this server.";

/** Somebody else has that name here. */
function taken(name: string): PairingVerdict {
  return {
    status: 409,
    error: `Somebody is called ${name} here already. Take another name; or, if that is you, ask ` +
      `whoever runs the server for a code of your own: parley pair ${loginOf(name)}`,
  };
}

/**
 * Lets a device in: with the code of an account as that account, with the code for anybody as
 * somebody new, from this machine under any name.
 */
export async function pair(
  store: Store,
  pairing: Pairing,
  { code, name, address }: PairingRequest,
): Promise<PairingVerdict> {
  const isTrusted = !pairing.needsCode(address);
  const login = loginOf(name);
  const isNamed = login !== "" && name.length <= maxNameLength;
  const existing = isNamed ? await store.userByLogin(login) : undefined;
  if (isTrusted && code.trim() === "") {
    if (!isNamed) return { status: 400, error: NAMELESS };
    return existing === undefined ? await newUser(store, login, name) : allowed(existing);
  }
  const redemption = pairing.redeem(
    code,
    address,
    (login) => login !== undefined || (isNamed && existing === undefined),
  );
  switch (redemption.kind) {
    case "wrong":
      return { status: 401, error: WRONG };
    case "wait":
      return { status: 429, error: WAIT };
    case "locked":
      return { status: 423, error: LOCKED };
  }
  if (redemption.login !== undefined) {
    const user = await store.userByLogin(redemption.login);
    return user === undefined ? { status: 401, error: WRONG } : allowed(user);
  }
  if (!isNamed) return { status: 400, error: NAMELESS };
  return existing === undefined ? await newUser(store, login, name) : taken(name.trim());
}

function allowed(user: User): PairingVerdict {
  return user.disabledAt === null ? { user } : { status: 403, error: DISABLED };
}

async function newUser(store: Store, login: string, name: string): Promise<PairingVerdict> {
  try {
    return { user: await store.createUser({ login, admin: false, name: name.trim() }) };
  } catch (error) {
    // Two of one name at the same moment.
    if (error instanceof LoginTakenError) return taken(name.trim());
    throw error;
  }
}

/** A display name as a login: `Ada Lovelace` becomes `ada-lovelace`; empty where nothing is left. */
export function loginOf(name: string): string {
  const plain = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return plain.replaceAll(/[^a-z0-9._]+/g, "-").replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, maxLoginLength);
}
