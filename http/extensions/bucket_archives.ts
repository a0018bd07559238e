/** Extensions in a bucket of an S3-compatible store, below `extensions/`. */
import { AwsClient } from "aws4fetch";
import type { BlobStoreConfig } from "../../lib/config.ts";
import {
  type ArchiveStore,
  ArchiveStoreError,
  type OpenFile,
  type StoredFile,
} from "./archive_store.ts";

/** Where keys begin in the bucket: it may hold other things too. */
const PREFIX = "extensions/";
/** Seconds that a client has to begin its download. [transport 7.1.5] */
const LINK_LIFETIME = 180;
/** Milliseconds until an answer of the store begins. */
const PATIENCE = 10_000;

export class BucketArchives implements ArchiveStore {
  readonly name: string;
  readonly #base: string;
  readonly #client: AwsClient;

  constructor({ url, bucket, region, accessKey, secretKey }: BlobStoreConfig) {
    this.name = `the bucket ${bucket} at ${url}`;
    this.#base = `${url}/${bucket}`;
    this.#client = new AwsClient({
      accessKeyId: accessKey,
      secretAccessKey: secretKey.reveal(),
      region,
      service: "s3",
      // Each try that failed would leave its answer's body open: who asked may ask again.
      retries: 0,
    });
  }

  async list(id?: string): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    let token: string | undefined;
    do {
      const query = new URLSearchParams({
        "list-type": "2",
        prefix: id === undefined ? PREFIX : `${PREFIX}${id}/`,
        ...(token !== undefined && { "continuation-token": token }),
      });
      const answer = await this.#ask("list", `${this.#base}/?${query}`);
      const page = await answer.text();
      if (!answer.ok) throw this.#refused("list", answer.status, page);
      // What a registry's keys consist of is never escaped in XML.
      for (const [, content = ""] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = element(content, "Key") ?? "";
        files.push({
          key: key.slice(PREFIX.length),
          changedAt: new Date(element(content, "LastModified") ?? 0),
          tag: element(content, "ETag") ?? "",
        });
      }
      token = unescaped(element(page, "NextContinuationToken"));
    } while (token !== undefined);
    return files;
  }

  async read(key: string): Promise<string> {
    const answer = await this.#ask("read from", this.#urlOf(key));
    const text = await answer.text();
    if (!answer.ok) throw this.#refused(`read ${key} from`, answer.status, text);
    return text;
  }

  async open(key: string): Promise<OpenFile | undefined> {
    const answer = await this.#ask("read from", this.#urlOf(key));
    if (answer.ok && answer.body !== null) {
      return { body: answer.body, size: Number(answer.headers.get("content-length")) };
    }
    const text = await answer.text();
    if (answer.status === 404) return undefined;
    throw this.#refused(`read ${key} from`, answer.status, text);
  }

  async link(key: string): Promise<string> {
    const url = new URL(this.#urlOf(key));
    url.searchParams.set("X-Amz-Expires", String(LINK_LIFETIME));
    return (await this.#client.sign(url.href, { aws: { signQuery: true } })).url;
  }

  async put(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    const answer = await this.#ask("write to", this.#urlOf(key), {
      method: "PUT",
      body: bytes as Uint8Array<ArrayBuffer>,
      headers: { "content-type": contentType },
    });
    const text = await answer.text();
    if (!answer.ok) throw this.#refused("write to", answer.status, text);
  }

  #urlOf(key: string): string {
    return `${this.#base}/${PREFIX}${key.split("/").map(encodeURIComponent).join("/")}`;
  }

  async #ask(action: string, url: string, init: RequestInit = {}): Promise<Response> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      return await this.#client.fetch(url, { ...init, signal: patience.signal });
    } catch (cause) {
      const reason = patience.signal.aborted ? "no answer" : (cause as Error).message;
      throw new ArchiveStoreError(`Cannot ${action} ${this.name}: ${reason}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #refused(action: string, status: number, body: string): ArchiveStoreError {
    const reason = element(body, "Message") ?? element(body, "Code") ?? "no reason given";
    return new ArchiveStoreError(`Cannot ${action} ${this.name}: ${status}, ${reason}`);
  }
}

/** The text of the first element of that name. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function unescaped(text: string | undefined): string | undefined {
  return text?.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
