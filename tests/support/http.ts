import { startServer, type TestServer, type TestServerOptions, type TestUser } from "./server.ts";

/** How {@link HttpServer.ask} asks. */
export interface Ask {
  readonly method?: string;
  /** Signs with the user's token; a text is the header itself. */
  readonly as?: TestUser | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text goes as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** A server that is asked over HTTP. */
export interface HttpServer {
  readonly server: TestServer;
  readonly url: string;
  ask(path: string, options?: Ask): Promise<Response>;
}

/** Runs `body` against a server with the given flags; ends it behind. */
export async function withHttp(
  options: TestServerOptions | readonly string[],
  body: (http: HttpServer) => Promise<void>,
): Promise<void> {
  await using server = await startServer("length" in options ? { flags: options } : options);
  await body({ server, url: server.url, ask: (path, ask) => askAt(server.url, path, ask) });
}

/** One request, redirects not followed. */
export function askAt(
  url: string,
  path: string,
  { method = "GET", as, headers = {}, body }: Ask = {},
): Promise<Response> {
  const authorization = typeof as === "string" ? as : as && `${as.id} ${as.token}`;
  return fetch(url + path, {
    method,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    ...(body !== undefined && {
      body: typeof body === "string" || body instanceof Uint8Array
        ? body as string
        : JSON.stringify(body),
    }),
    redirect: "manual",
  });
}

/** The status of an answer whose body nobody reads. */
export async function statusOf(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
}

/** Status and `Location` of an answer whose body nobody reads. */
export async function redirectOf(answer: Promise<Response>): Promise<[number, string | null]> {
  const { status, headers, body } = await answer;
  await body?.cancel();
  return [status, headers.get("location")];
}
