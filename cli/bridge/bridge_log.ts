/** What a bridge says about itself goes to a file: its streams are the editor's and the agent's. [agents 4f] */

/** Bytes above which the file is begun anew, with the one before kept. */
const MOST = 1 << 20;

export class BridgeLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Writes a line. A log that cannot be written disturbs nobody. */
  readonly say = (text: string): void => {
    try {
      if (Deno.lstatSync(this.#path).size > MOST) Deno.renameSync(this.#path, `${this.#path}.old`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return;
    }
    try {
      const line = `${new Date().toISOString()} ${Deno.pid} ${text}\n`;
      Deno.writeTextFileSync(this.#path, line, { append: true, mode: 0o600 });
    } catch {
      // There is nobody else to tell: the streams are not the bridge's.
    }
  };
}
