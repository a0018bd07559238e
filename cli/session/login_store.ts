/**
 * The logins of this device: a sealed file beside the list of servers. Its key is the keyring's; on a
 * machine without one it is a file that only its owner may read. [local 8]
 */
import { type CredentialStore, FileStore, keyringKey, type KeySource } from "../../client/node.ts";
import { readIfThere, replaceFile } from "../../client/node/development_store.ts";
import { SessionError } from "./session_error.ts";

/** Bytes of the key. */
const KEY_LENGTH = 32;

/** Finds the keyring's key; undefined where there is no keyring. */
export type FindKey = () => Promise<KeySource | undefined>;

/** Opens the logins of a folder. @throws {SessionError} their key is not there. */
export async function openLoginStore(
  folder: string,
  findKey: FindKey = keyringKey,
): Promise<CredentialStore> {
  const path = `${folder}/logins`;
  return new FileStore(path, await keyOf(path, `${folder}/logins.key`, findKey));
}

async function keyOf(path: string, keyPath: string, findKey: FindKey): Promise<KeySource> {
  const kept = await readIfThere(keyPath);
  if (kept?.length === KEY_LENGTH) return { key: () => Promise.resolve(kept) };
  if (kept !== undefined) {
    throw new SessionError(
      `Cannot use ${keyPath}: it is damaged; delete it and ${path}, then sign in anew`,
    );
  }
  const found = await findKey();
  if (found !== undefined) return found;
  if (await readIfThere(path) !== undefined) {
    throw new SessionError(
      `Cannot open the logins in ${path}: their key is in the keyring, which cannot be reached; ` +
        "unlock it, or delete the file and sign in anew",
    );
  }
  const fresh = crypto.getRandomValues(new Uint8Array(KEY_LENGTH));
  await replaceFile(keyPath, fresh);
  return { key: () => Promise.resolve(fresh) };
}
