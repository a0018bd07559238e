/** The accounts that the benchmarks sign in with, all contacts of the first. */
import { createToken } from "../db/access_tokens.ts";
import { openSqlite } from "../db/sqlite/open.ts";

/** An account with its token. */
export interface Account {
  readonly id: number;
  readonly token: string;
}

/**
 * Fills a new data folder.
 *
 * @param count accounts
 * @param contacts how many of them are contacts of the first, so that it may call them
 */
export async function seedAccounts(
  dataDir: string,
  count: number,
  contacts: number,
): Promise<Account[]> {
  const store = await openSqlite({ path: `${dataDir}/parley.sqlite` });
  const accounts: Account[] = [];
  for (let index = 0; index < count; index++) {
    const { id } = await store.createUser({ login: `user${index}`, admin: false });
    await store.setConnectedOnce(id);
    accounts.push({ id, token: await createToken(store, id) });
  }
  const [first, ...others] = accounts as [Account, ...Account[]];
  await store.commit([{
    actor: "bench",
    writes: others.slice(0, contacts).map(({ id }) => ({
      op: "put",
      table: "contacts",
      row: {
        user_id_a: first.id,
        user_id_b: id,
        a_to_b: true,
        should_notify: false,
        accepted: true,
      },
    })),
  }]);
  await store.close();
  return accounts;
}
