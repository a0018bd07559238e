/** What a row of the table of routes says, and how a request finds its row. */
import type { User } from "../db/store.ts";
import type { HttpDeps } from "./deps.ts";

/** Methods that routes take; `GET` stands for `HEAD` too. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  /** The path below the server's own prefix, without doubled slashes. */
  readonly path: string;
  /** Decoded parts of the path by name; `*` is what a pattern's end leaves open. */
  readonly params: Readonly<Record<string, string>>;
  /** Network address of who asks, or of the proxy before him. */
  readonly peer: string;
  readonly deps: HttpDeps;
}

/** A request whose user token has proved true. */
export interface UserExchange extends Exchange {
  readonly user: User;
  /** The token that proved it; null for what else the server accepts. */
  readonly tokenId: number | null;
}

export type Answer = Response | Promise<Response>;

interface RouteFacts {
  /** `/a/:name/b`, `/a/:id.png`, `/a/*` for `/a` and everything below it. */
  readonly path: string;
  readonly methods: readonly Method[];
  /** Who asks, for the document. */
  readonly caller: string;
  /** Which generation of Zed asks; `-` where no Zed does. */
  readonly years: "2025" | "2026" | "both" | "-";
  /** What we answer, for the document. */
  readonly answer: string;
  /**
   * Which process of a split installation serves it. [transport 6.3.3]
   *
   * - `api`, the default: needs the database only
   * - `collab`: needs connections and rooms
   * - `passed on`: the same, and `serve api` sends it on to `serve collab`
   * - `both`
   */
  readonly place?: "api" | "collab" | "passed on" | "both";
}

/**
 * One row. How somebody proves who he is:
 *
 * - `user`: `Authorization: <id> <token>`, checked before the handler
 * - `administrator`, `api token`, `model token`, `server secret`, `session`: checked by the handler
 * - `none`
 */
export type Route =
  & RouteFacts
  & (
    | {
      readonly auth:
        | "none"
        | "administrator"
        | "api token"
        | "model token"
        | "server secret"
        | "session";
      readonly handler: (exchange: Exchange) => Answer;
    }
    | { readonly auth: "user"; readonly handler: (exchange: UserExchange) => Answer }
  );

/** A row that fits a path, with the parts of the path. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly route: Route;
  readonly expression: RegExp;
}

/** Finds the row for a path. Exact paths come first, then patterns in the order of the table. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: readonly Pattern[];

  constructor(routes: readonly Route[]) {
    const patterns: Pattern[] = [];
    for (const route of routes) {
      if (/[:*]/.test(route.path)) patterns.push({ route, expression: compile(route.path) });
      else this.#exact.set(route.path, [...this.#exact.get(route.path) ?? [], route]);
    }
    this.#patterns = patterns;
  }

  /** Every row that fits the path, whatever its methods. */
  find(path: string): RouteMatch[] {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact.map((route) => ({ route, params: {} }));
    const found: RouteMatch[] = [];
    for (const { route, expression } of this.#patterns) {
      const match = expression.exec(path);
      const params = match === null ? undefined : decodeAll(match.groups ?? {});
      if (params === undefined) continue;
      // Another pattern with the same path may take other methods; a wider one stays behind.
      if (found.length > 0 && found[0]!.route.path !== route.path) break;
      found.push({ route, params });
    }
    return found;
  }
}

function compile(path: string): RegExp {
  const open = path.endsWith("/*");
  const source = (open ? path.slice(0, -2) : path)
    .split(/(:[a-z_]+)/)
    .map((part) => part.startsWith(":") ? `(?<${part.slice(1)}>[^/]+)` : RegExp.escape(part))
    .join("");
  return new RegExp(`^${source}${open ? "(?:/(?<rest>.*))?" : ""}$`, "s");
}

/** Undefined when a part is no encoding of a text: then there is nothing at such a path. */
function decodeAll(groups: Record<string, string | undefined>): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  try {
    for (const [name, value] of Object.entries(groups)) {
      params[name === "rest" ? "*" : name] = decodeURIComponent(value ?? "");
    }
  } catch {
    return undefined;
  }
  return params;
}
