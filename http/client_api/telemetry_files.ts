/**
 * Telemetry that an operator has chosen to keep: in the folder `telemetry` of the data folder, a file
 * of lines for each day, a file for each crash. [transport 7.4]
 */
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";

/** Days that a file is kept. */
const DAYS = 30;
/** Bytes of all files; beyond them the oldest go. */
const MOST_BYTES = 1 << 30;
const DAY = 24 * 60 * 60 * 1000;

/** What {@link TelemetryFiles} needs. */
export interface TelemetryFilesOptions {
  /** The server's data folder. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: {@link MOST_BYTES} if not given. */
  readonly mostBytes?: number;
}

/** The folder. Reports are written one after the other, so that no two lines mix. */
export class TelemetryFiles {
  readonly #options: TelemetryFilesOptions;
  readonly #folder: string;
  #last: Promise<void> = Promise.resolve();
  /** The day whose old files were removed. */
  #cleaned = "";
  #written = 0;

  constructor(options: TelemetryFilesOptions) {
    this.#options = options;
    this.#folder = `${options.dataDir}/telemetry`;
  }

  /**
   * Keeps a report. One that cannot be written is told in the log: its client has done its part.
   *
   * @param kind `events`, `panics` or `hangs` for a line of JSON; anything else gets a file
   */
  async keep(kind: string, body: Uint8Array): Promise<void> {
    this.#last = this.#last.then(() => this.#write(kind, body)).catch((error) => {
      this.#options.log.warn("A report of telemetry cannot be kept: {error}", { error });
    });
    await this.#last;
  }

  async #write(kind: string, body: Uint8Array): Promise<void> {
    const received = new Date(this.#options.clock.now()).toISOString();
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#clean(received.slice(0, 10), body.length);
    const json = ["events", "panics", "hangs"].includes(kind) ? parse(body) : undefined;
    if (json === undefined) {
      const name = `crash-${received.replaceAll(":", "")}-${crypto.randomUUID()}`;
      await Deno.writeFile(`${this.#folder}/${name}`, body, { createNew: true, mode: 0o600 });
      return;
    }
    const line = JSON.stringify({ received_at: received, kind, body: json });
    await Deno.writeTextFile(`${this.#folder}/${received.slice(0, 10)}.jsonl`, `${line}\n`, {
      append: true,
      mode: 0o600,
    });
  }

  /** Removes what is too old, at the first report of a day; and the oldest while there is too much. */
  async #clean(day: string, bytes: number): Promise<void> {
    const { clock, mostBytes = MOST_BYTES } = this.#options;
    this.#written += bytes;
    if (day === this.#cleaned && this.#written < mostBytes / 16) return;
    this.#cleaned = day;
    this.#written = 0;
    const files: { path: string; size: number; at: number }[] = [];
    for await (const { name } of Deno.readDir(this.#folder)) {
      const path = `${this.#folder}/${name}`;
      const { size, mtime } = await Deno.stat(path);
      files.push({ path, size, at: mtime?.getTime() ?? 0 });
    }
    files.sort((a, b) => a.at - b.at);
    let total = files.reduce((sum, { size }) => sum + size, bytes);
    for (const { path, size, at } of files) {
      if (at >= clock.now() - DAYS * DAY && total <= mostBytes) break;
      await Deno.remove(path);
      total -= size;
    }
  }
}

/** The JSON of a report; undefined where it is none. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
