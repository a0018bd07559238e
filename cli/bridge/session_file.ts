/** Which session of an agent is which thread: lines that are only added, by any number of bridges. [agents 4d] */
import type { SessionBook } from "./open_sessions.ts";

/** A file of JSON lines `[sessionId, threadId]`; the last line about a session counts. */
export class SessionFile implements SessionBook {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  threadOf(sessionId: string): string | undefined {
    let found: string | undefined;
    for (const line of this.#lines()) {
      const [id, threadId] = entryOf(line);
      if (id === sessionId) found = threadId;
    }
    return found;
  }

  note(sessionId: string, threadId: string): void {
    const line = `${JSON.stringify([sessionId, threadId])}\n`;
    Deno.writeTextFileSync(this.#path, line, { append: true, mode: 0o600 });
  }

  #lines(): string[] {
    try {
      return Deno.readTextFileSync(this.#path).split("\n");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
}

/** Of a line that a crash cut off, nothing. */
function entryOf(line: string): readonly unknown[] & { 1?: string } {
  try {
    const entry: unknown = JSON.parse(line);
    if (Array.isArray(entry) && entry.every((part) => typeof part === "string")) return entry;
  } catch {
    // It was not written whole, so nobody was told of it either.
  }
  return [];
}
