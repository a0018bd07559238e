import { assert, assertEquals } from "@std/assert";
import { Ajv2020, type ValidateFunction } from "./packages/ajv.ts";
import addFormats from "./packages/ajv_formats.ts";
import { askAt } from "./http.ts";

/** An answer of the API, which the document allows. */
export interface ApiAnswer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- the document says what it is
  readonly body: any;
}

type Json = Record<string, unknown>;

/** A client of the admin API that holds every request and answer against the OpenAPI document. */
export class AdminApi {
  readonly document: Json & { readonly paths: Readonly<Record<string, Json>> };
  /** Operations that have succeeded, as `GET /api/admin/users`. */
  readonly used = new Set<string>();
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ajv: Ajv2020;

  private constructor(url: string, headers: Readonly<Record<string, string>>, document: Json) {
    this.#url = url;
    this.#headers = headers;
    this.document = document as typeof this.document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, "document");
  }

  /** Reads the document of a server. */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = { authorization: "Bearer hunter2" },
  ): Promise<AdminApi> {
    return new AdminApi(url, headers, await (await askAt(url, "/api/openapi.json")).json());
  }

  /** The same document for somebody else. */
  as(headers: Readonly<Record<string, string>>): AdminApi {
    return new AdminApi(this.#url, headers, this.document);
  }

  /** The schema at a JSON pointer of the document. */
  schema(pointer: string): ValidateFunction {
    const validate = this.#ajv.getSchema(`document#${pointer}`);
    assert(validate !== undefined, `no schema at ${pointer}`);
    return validate;
  }

  /** One request; the path is below `/api/admin`. */
  async ask(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const answer = await askAt(this.#url, `/api/admin${path}`, {
      method,
      headers: this.#headers,
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    const operation = this.#operationOf(method, path);
    const place = `/paths/${escape(operation)}/${method.toLowerCase()}/responses/${answer.status}`;
    const described = pick(this.document, place) as Json | undefined;
    assert(
      described !== undefined,
      `${method} ${path}: ${answer.status} is not in the document: ${text}`,
    );
    if (described.content === undefined) {
      assertEquals([text, answer.headers.get("content-type")], ["", null]);
      this.#note(method, operation, answer.status);
      return { status: answer.status, body: undefined };
    }
    const [type] = answer.headers.get("content-type")!.split(";");
    const value = type === "application/json" ? JSON.parse(text) : text;
    const validate = this.schema(`${place}/content/${escape(type!)}/schema`);
    assert(validate(value), `${method} ${path}: ${JSON.stringify(validate.errors)}: ${text}`);
    this.#note(method, operation, answer.status);
    return { status: answer.status, body: value };
  }

  /** As {@link ask}, for what must succeed: its body. */
  // deno-lint-ignore no-explicit-any
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.ask(method, path, body);
    assert(
      answer.status < 300,
      `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
    );
    return answer.body;
  }

  #note(method: string, operation: string, status: number): void {
    if (status < 300) this.used.add(`${method} ${operation}`);
  }

  #operationOf(method: string, path: string): string {
    const [plain] = `/api/admin${path}`.split("?");
    const found = Object.keys(this.document.paths).find((template) =>
      method.toLowerCase() in this.document.paths[template]! &&
      new RegExp(`^${template.replaceAll(/\{[a-z_]+\}/g, "[^/]+")}$`).test(plain!)
    );
    assert(found !== undefined, `${method} ${path} is not in the document`);
    return found;
  }
}

function escape(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

function pick(document: Json, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce<unknown>(
    (value, part) => (value as Json)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")],
    document,
  );
}
