/** Bodies of requests, each read within a limit. */

/** Milliseconds within which a body has to arrive whole. */
const BODY_PATIENCE = 30_000;

/** Bytes that a body may have where its route does not say otherwise. */
export const BODY_LIMIT = 64 << 10;

/** A body larger than its route takes. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  constructor(limit: number) {
    super(`Request body is larger than ${limit >> 10} KiB; send less at once`);
  }
}

/** A body that does not arrive. */
export class BodyTooSlowError extends Error {
  override readonly name = "BodyTooSlowError";
  constructor() {
    super("Request body did not arrive in time; send it again");
  }
}

/** The whole body. @throws {BodyTooLargeError} {BodyTooSlowError} */
export async function readBody(
  request: Request,
  limit = BODY_LIMIT,
  patience = BODY_PATIENCE,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of limitedStream(request, limit, patience)) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Takes a body in and forgets it. @throws {BodyTooLargeError} */
export async function dropBody(request: Request, limit: number): Promise<void> {
  for await (const _ of limitedStream(request, limit)) { /* only counted */ }
}

/** The body as JSON; undefined when it is none. @throws {BodyTooLargeError} */
export async function readJson(request: Request, limit = BODY_LIMIT): Promise<unknown> {
  const text = new TextDecoder().decode(await readBody(request, limit));
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fields of a form as browsers send it; the last one of a name counts. @throws {BodyTooLargeError} */
export async function readForm(request: Request): Promise<ReadonlyMap<string, string>> {
  const text = new TextDecoder().decode(await readBody(request));
  return new Map(new URLSearchParams(text));
}

/** The request with a body that ends with an error when it grows too large. */
export function limited(request: Request, limit = BODY_LIMIT): Request {
  if (request.body === null) return request;
  const body = ReadableStream.from(limitedStream(request, limit));
  // Field by field: a copy of the request would also take its signal, which Deno warns about.
  return new Request(request.url, { method: request.method, headers: request.headers, body });
}

async function* limitedStream(
  request: Request,
  limit: number,
  patience = BODY_PATIENCE,
): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const timer = setTimeout(() => late.reject(new BodyTooSlowError()), patience);
  const reader = request.body.getReader();
  let whole = false;
  try {
    for (let taken = 0;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) break;
      taken += value.length;
      if (taken > limit) throw new BodyTooLargeError(limit);
      yield value;
    }
    whole = true;
  } finally {
    clearTimeout(timer);
    // Its sender may never let it end: nobody waits for that.
    if (!whole) reader.cancel().catch(() => {});
  }
}
