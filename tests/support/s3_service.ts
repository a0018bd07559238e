/**
 * An S3-compatible store: s3rver, and before it a check of every request's SigV4 signature, which
 * s3rver leaves out for most of them.
 */
import { createHash, createHmac } from "node:crypto";
import S3rver from "./packages/s3rver.ts";

const REGION = "eu-test-1";
const ACCESS_KEY = "S3RVER";
const SECRET_KEY = "S3RVER";

export class S3Service implements AsyncDisposable {
  readonly bucket = "parley";
  readonly #folder: string;
  readonly #store: { close(): Promise<void> };
  readonly #front: Deno.HttpServer<Deno.NetAddr>;
  /** Method and path of each request that was let through. */
  readonly requests: string[] = [];
  /** Answers 503 to everything. */
  down = false;

  private constructor(folder: string, store: { close(): Promise<void> }, target: string) {
    this.#folder = folder;
    this.#store = store;
    this.#front = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#check(request, target),
    );
  }

  static async start(): Promise<S3Service> {
    const folder = await Deno.makeTempDir({ prefix: "parley-s3-" });
    const store = new S3rver({
      port: 0,
      address: "127.0.0.1",
      silent: true,
      directory: folder,
      configureBuckets: [{ name: "parley", configs: [] }],
    });
    const { port } = await store.run();
    return new S3Service(folder, store, `http://127.0.0.1:${port}`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#front.addr.port}`;
  }

  /** Flags of a server that keeps its extensions here. */
  flags(secretKey = SECRET_KEY): string[] {
    return [
      ...[`--blob-store-url=${this.url}`, `--blob-store-bucket=${this.bucket}`],
      ...[`--blob-store-region=${REGION}`, `--blob-store-access-key=${ACCESS_KEY}`],
      `--blob-store-secret-key=${secretKey}`,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front.shutdown();
    await this.#store.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #check(request: Request, target: string): Promise<Response> {
    const url = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    if (this.down) return new Response("<Error><Code>SlowDown</Code></Error>", { status: 503 });
    const problem = signatureProblem(request, url, body);
    if (problem !== undefined) {
      const text = `<Error><Code>SignatureDoesNotMatch</Code><Message>${problem}</Message></Error>`;
      return new Response(text, { status: 403 });
    }
    this.requests.push(`${request.method} ${url.pathname}`);
    // Signatures have done their work: s3rver does not understand all of them.
    for (const name of [...url.searchParams.keys()]) {
      if (name.startsWith("X-Amz-")) url.searchParams.delete(name);
    }
    const type = request.headers.get("content-type");
    return await fetch(target + url.pathname + url.search, {
      method: request.method,
      ...(type !== null && { headers: { "content-type": type } }),
      ...(body.length > 0 && { body }),
    });
  }
}

/** What is wrong with a signature, as the documentation of SigV4 makes it; undefined when it is good. */
function signatureProblem(
  request: Request,
  url: URL,
  body: Uint8Array,
): string | undefined {
  const query = url.searchParams;
  const inQuery = query.has("X-Amz-Signature");
  const given = inQuery
    ? {
      credential: query.get("X-Amz-Credential"),
      signed: query.get("X-Amz-SignedHeaders"),
      signature: query.get("X-Amz-Signature"),
      date: query.get("X-Amz-Date"),
      hash: "UNSIGNED-PAYLOAD",
    }
    : fromHeader(request.headers);
  const { credential, signed, signature, date, hash } = given;
  if (!credential || !signed || !signature || !date || !hash) return "not signed";
  const day = date.slice(0, 8);
  const scope = `${day}/${REGION}/s3/aws4_request`;
  if (credential !== `${ACCESS_KEY}/${scope}`) return `credential ${credential}`;
  const age = Date.now() -
    Date.parse(
      date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
    );
  const lifetime = inQuery ? Number(query.get("X-Amz-Expires")) * 1000 : 900_000;
  if (!(age > -900_000 && age < lifetime)) return `too old: ${age} ms`;
  if (!inQuery && hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)) return "other contents";
  const encode = (text: string) =>
    encodeURIComponent(text).replaceAll(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const canonical = [
    request.method,
    url.pathname.split("/").map((part) => encode(decodeURIComponent(part))).join("/"),
    [...query].filter(([name]) => name !== "X-Amz-Signature")
      .map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join("&"),
    ...signed.split(";").map((name) =>
      `${name}:${name === "host" ? url.host : request.headers.get(name)?.trim() ?? ""}`
    ),
    "",
    signed,
    hash,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  let key: Uint8Array = new TextEncoder().encode(`AWS4${SECRET_KEY}`);
  for (const part of [day, REGION, "s3", "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const expected = createHmac("sha256", key).update(toSign).digest("hex");
  return expected === signature ? undefined : "wrong signature";
}

function fromHeader(headers: Headers) {
  const text = headers.get("authorization") ?? "";
  const part = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(text)?.[1];
  return {
    credential: part("Credential"),
    signed: part("SignedHeaders"),
    signature: part("Signature"),
    date: headers.get("x-amz-date"),
    hash: headers.get("x-amz-content-sha256") ?? "",
  };
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
