/** Somebody as GitHub knows him. */
export interface GitHubUser {
  readonly id: number;
  readonly login: string;
  readonly name?: string | null;
  readonly avatar_url?: string;
}

/** As much of GitHub as an OAuth app meets: pages of the browser are the test's part. */
export class FakeGitHub implements AsyncDisposable {
  user: GitHubUser = { id: 77, login: "octo", name: "Octo Cat" };
  /** Answers `POST /login/oauth/access_token` in place of the token. */
  refusal: Response | undefined;
  /** Forms that came for tokens. */
  readonly exchanges: Record<string, string>[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/login/oauth/access_token") {
      this.exchanges.push(
        Object.fromEntries(new URLSearchParams(await request.text())),
      );
      return this.refusal ?? Response.json({ access_token: "gho_test", token_type: "bearer" });
    }
    if (pathname === "/api/v3/user") {
      return request.headers.get("authorization") === "Bearer gho_test"
        ? Response.json({ ...this.user, email: null })
        : new Response("{}", { status: 401 });
    }
    return new Response("not found", { status: 404 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
