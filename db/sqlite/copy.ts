/** Whole copies of a database while it is in use. */
import type { DatabaseSync } from "node:sqlite";

/**
 * Writes a compact copy of what is committed to a new file, private to its owner, and waits until the
 * disk has it. Others may read and write the database meanwhile.
 *
 * @throws {Deno.errors.AlreadyExists} and what SQLite and the system say; no half copy stays behind
 */
export function copyDatabase(db: DatabaseSync, to: string): void {
  // Empty and private first: VACUUM INTO fills a file of no length, with the mode that it has.
  Deno.openSync(to, { write: true, createNew: true, mode: 0o600 }).close();
  try {
    db.prepare("vacuum into ?").run(to);
    const file = Deno.openSync(to, { write: true });
    try {
      file.syncSync();
    } finally {
      file.close();
    }
  } catch (error) {
    Deno.removeSync(to);
    throw error;
  }
}
