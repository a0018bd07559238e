/** Looks whether the certificate's files have been renewed, and whether they should be. */
import type { Clock, TimerId } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { type Certificate, type CertificateFiles, readCertificate } from "./certificate.ts";

/** Milliseconds between two looks: renewed certificates are shown at most that much later. */
const PAUSE = 60_000;
const DAY = 86_400_000;
/** Programs that renew certificates do so weeks before. */
const SOON = 14 * DAY;

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  /** What is in the files now. */
  readonly certificate: Certificate;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with another one that can be used. */
  readonly renewed: (certificate: Certificate) => Promise<void>;
}

export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  #certificate: Certificate;
  #timer: TimerId | undefined;
  #warnedAt = -Infinity;
  #problem: string | undefined;
  #ended = false;

  /** Begins to look. */
  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#warn();
    this.#wait();
  }

  /** No timer is left. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#ended) return;
    this.#timer = this.#options.clock.setTimeout(
      () => void this.#look().finally(() => this.#wait()),
      PAUSE,
    );
  }

  async #look(): Promise<void> {
    const { files, log, renewed } = this.#options;
    try {
      const found = await readCertificate(files, this.#certificate);
      this.#problem = undefined;
      if (!this.#ended && found !== this.#certificate) {
        this.#certificate = found;
        this.#warnedAt = -Infinity;
        await renewed(found);
        log.info("{file} was renewed; connections are made anew with it", { file: files.certFile });
      }
    } catch (error) {
      // Perhaps one of the two files is written already, and the other is not.
      const { message } = error as Error;
      if (message !== this.#problem) {
        log.warn("{message}; the certificate of before is used on", { message });
      }
      this.#problem = message;
    }
    this.#warn();
  }

  /** Once a day, while it is near its end or behind it. */
  #warn(): void {
    const { clock, log, files: { certFile: file } } = this.#options;
    const { until } = this.#certificate;
    const now = clock.now();
    if (until - now > SOON || now - this.#warnedAt < DAY) return;
    this.#warnedAt = now;
    const end = new Date(until).toISOString();
    if (until > now) {
      log.warn("The certificate in {file} ends at {end}: have it renewed", { file, end });
    } else {
      log.error(
        "The certificate in {file} has ended at {end}: clients refuse it; have it renewed",
        {
          file,
          end,
        },
      );
    }
  }
}
