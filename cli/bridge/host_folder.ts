/**
 * The folder of one host of threads: its id and its outbox. Each bridge that runs has one to itself,
 * and leaves it to one that comes later. [agents 4]
 */

/** A folder that is locked for this process. */
export interface HostFolder extends Disposable {
  readonly path: string;
  /** UUID of the host. */
  readonly hostId: string;
}

/** More bridges than these do not run at once. */
const MOST = 1_000;

/**
 * Takes a folder that nobody uses: one with events that wait to be sent, if there is one, else the
 * first.
 *
 * @throws {Error} all are taken, or none can be made
 */
export function takeHostFolder(root: string): HostFolder {
  const taken: HostFolder[] = [];
  try {
    for (let number = 1; number <= MOST; number++) {
      const path = `${root}/${number}`;
      const isThere = exists(path);
      // Behind the last one there are no events.
      if (!isThere && taken.length > 0) break;
      const folder = lock(path);
      if (folder === undefined) continue;
      if (sizeOf(`${path}/outbox`) > 0) {
        taken.push(folder);
        return taken.pop() as HostFolder;
      }
      taken.push(folder);
      if (!isThere) break;
    }
    const first = taken.shift();
    if (first === undefined) throw new Error(`Cannot use ${root}: ${MOST} bridges run`);
    return first;
  } finally {
    for (const folder of taken) folder[Symbol.dispose]();
  }
}

function lock(path: string): HostFolder | undefined {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  const options = { read: true, write: true, create: true, mode: 0o600 } as const;
  const file = Deno.openSync(`${path}/lock`, options);
  if (!file.tryLockSync(true)) {
    file.close();
    return undefined;
  }
  return { path, hostId: durableId(`${path}/id`), [Symbol.dispose]: () => file.close() };
}

/** The UUID in a file; a new one where there is none. */
export function durableId(path: string): string {
  const kept = exists(path) ? Deno.readTextFileSync(path).trim() : "";
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(kept)) return kept;
  const id = crypto.randomUUID();
  Deno.writeTextFileSync(`${path}.new`, id, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
  return id;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function sizeOf(path: string): number {
  return exists(path) ? Deno.statSync(path).size : 0;
}
