/** The part of the port to the database that the registry of extensions needs. */

/** What is known of a version beside its archive and its description. */
export interface ExtensionFacts {
  readonly id: string;
  readonly version: string;
  readonly downloads: number;
  /** When it was taken out of the lists, Unix milliseconds. */
  readonly yankedAt: number | null;
}

/** Written at once, not through the journal: no actor owns any of it. */
export interface ExtensionStore {
  /** Of every version that was downloaded or yanked. */
  facts(): Promise<ExtensionFacts[]>;
  /** One download more. [transport 7.1.5] */
  countDownload(id: string, version: string): Promise<void>;
  /** Takes a version out of the lists, or back into them; doing it twice changes nothing. */
  setYanked(id: string, version: string, yanked: boolean): Promise<void>;
}
