/**
 * One git repository as its host told it: the scalar state as one run of the host's own bytes,
 * statuses by path. [projects 7.3]
 */
import { concatBytes, FieldReader } from "../../rpc/fields.ts";

/** Field numbers of `UpdateRepository`. */
const PROJECT_ID = 1;
const ID = 2;
const UPDATED_STATUSES = 6;
const REMOVED_STATUSES = 7;
const SCAN_ID = 9;
const IS_LAST_UPDATE = 10;
const BRANCH_LIST = 18;
const BRANCH_LIST_ERROR = 21;
/** `StatusEntry.repo_path`. */
const REPO_PATH = 1;

/** `UpdateRepository` taken apart, its parts still the host's bytes. */
export interface RepositoryUpdate {
  readonly id: bigint;
  readonly scanId: bigint;
  readonly isLast: boolean;
  /** All fields but ids, statuses, the last flag and the branch list: complete state. */
  readonly state: Uint8Array;
  /** Branch list and its error: state only when `isLast`. */
  readonly branches: Uint8Array;
  readonly updatedStatuses: readonly { readonly path: string; readonly status: Uint8Array }[];
  readonly removedStatuses: readonly string[];
}

/** @throws {FieldError} */
export function readRepositoryUpdate(payload: Uint8Array): RepositoryUpdate {
  let id = 0n;
  let scanId = 0n;
  let isLast = false;
  const state: Uint8Array[] = [];
  const branches: Uint8Array[] = [];
  const updatedStatuses: { path: string; status: Uint8Array }[] = [];
  const removedStatuses: string[] = [];
  const fields = new FieldReader(payload);
  while (fields.next()) {
    const whole = () => payload.slice(fields.fieldStart, fields.end);
    switch (fields.number) {
      case PROJECT_ID:
        break;
      case ID:
        id = fields.bigint();
        break;
      case SCAN_ID:
        scanId = fields.bigint();
        state.push(whole());
        break;
      case IS_LAST_UPDATE:
        isLast = fields.bigint() !== 0n;
        break;
      case UPDATED_STATUSES: {
        const status = fields.view().slice();
        updatedStatuses.push({ path: statusPath(status), status });
        break;
      }
      case REMOVED_STATUSES:
        removedStatuses.push(fields.text());
        break;
      case BRANCH_LIST:
      case BRANCH_LIST_ERROR:
        branches.push(whole());
        break;
      default:
        state.push(whole());
    }
  }
  return {
    id,
    scanId,
    isLast,
    state: concatBytes(state),
    branches: concatBytes(branches),
    updatedStatuses,
    removedStatuses,
  };
}

function statusPath(status: Uint8Array): string {
  const fields = new FieldReader(status);
  let path = "";
  while (fields.next()) if (fields.number === REPO_PATH) path = fields.text();
  return path;
}

interface Status {
  readonly scanId: bigint;
  /** A `StatusEntry`, undefined for a tombstone. */
  readonly bytes: Uint8Array | undefined;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export class Repository {
  readonly id: bigint;
  scanId = 0n;
  deleted = false;
  state = NOTHING;
  branches = NOTHING;
  readonly statuses = new Map<string, Status>();

  constructor(id: bigint) {
    this.id = id;
  }

  /**
   * A removed repository is told anew: it begins with the tombstones of what it had, so that a guest
   * who was away learns of them.
   *
   * @returns paths whose statuses became tombstones
   */
  bury(scanId: bigint): string[] {
    this.deleted = false;
    this.branches = NOTHING;
    const paths: string[] = [];
    for (const [path, status] of this.statuses) {
      if (status.bytes === undefined) continue;
      this.statuses.set(path, { scanId, bytes: undefined });
      paths.push(path);
    }
    return paths;
  }

  /** All statuses, or those that changed after a scan. [projects 12.4] */
  statusesSince(scanId: bigint | undefined): { updated: Uint8Array[]; removed: string[] } {
    const updated: Uint8Array[] = [];
    const removed: string[] = [];
    for (const [path, status] of this.statuses) {
      if (scanId !== undefined && status.scanId <= scanId) continue;
      if (status.bytes !== undefined) updated.push(status.bytes);
      else if (scanId !== undefined) removed.push(path);
    }
    return { updated, removed };
  }
}
