/** What a setting is, and how the texts that people give become values. */
import { z } from "zod";

/** A text that must not be printed: only {@link Secret.reveal} gives it out. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

/** Where the database is. */
export type DatabaseLocation =
  | { readonly kind: "sqlite"; readonly path: string }
  | {
    readonly kind: "postgres";
    /** With user and password. */
    readonly url: Secret;
    /** The same without a password, for people. */
    readonly name: string;
  };

/** Description of one setting. */
export interface Setting<Value> {
  /** Name of the command-line flag, without the dashes. */
  readonly flag: string;
  readonly env: string;
  /** Another name of the variable, by which the reference server knows it. */
  readonly alias?: string;
  /** From the text that the user gave to the value; its error messages say what is expected. */
  readonly schema: z.ZodType<Value, string>;
  /** The text that stands in where the user gave none; without it the value is then undefined. */
  readonly default?: string;
  /** What the help shows as default where it is not a fixed text. */
  readonly defaultText?: string;
  /** Placeholder for the value in the help. */
  readonly value: string;
  readonly description: string;
  /** Never printed, and better not given as a flag, where other users of the machine see it. */
  readonly secret?: true;
  /** May hold a password, so that messages do not repeat it. */
  readonly confidential?: true;
  /** For tests: in no help and no document. */
  readonly hidden?: true;
}

/** A row of the table, with the type of its value. */
export function setting<Value, const Options extends Setting<Value>>(
  options: Options & Setting<Value>,
): Options {
  return options;
}

/** What {@link headerSecret} expects. */
export const HEADER_WORD =
  "must be printable ASCII without spaces: clients send it as a word of an HTTP header";

/** A text that is kept from sight. */
export const secret = z.string().min(1, "must not be empty").transform((value) =>
  new Secret(value)
);

/** A secret that clients send as a word of an HTTP header: spaces would end it. */
export const headerSecret = z.string().min(1, "must not be empty")
  .regex(/^[\x21-\x7e]+$/, HEADER_WORD).transform((value) => new Secret(value));

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number) {
  const expected = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d{1,10}$/, expected).transform(Number).pipe(
    z.number().min(min, expected).max(max, expected),
  );
}

/** One of a few words. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.string().pipe(z.enum(values, `must be one of ${values.join(", ")}`));
}

/** At least `least` characters that are kept from sight: the text is used as a key. */
export function secretKey(least: number) {
  return z.string().min(least, `must have at least ${least} characters`)
    .transform((value) => new Secret(value));
}

/** A text that says something. */
export const words = z.string().min(1, "must not be empty");

/** What to listen on: an IPv6 address may stand in brackets, as URLs have it. */
export const hostAddress = words.transform((text) => text.replace(/^\[(.*)\]$/, "$1"));

/** The same as it was given: an OIDC provider's name is compared letter by letter. */
export const exactWebUrl = z.string()
  .refine(isWebUrl, "must be an http: or https: URL without query and user");

/** An http: or https: URL without query, which may have a path; the value has no slash at its end. */
export const webUrl = z.string()
  .refine(isWebUrl, "must be an http: or https: URL without query and user")
  .transform((text) => {
    const url = new URL(text);
    return url.origin + url.pathname.replace(/\/+$/, "");
  });

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" &&
    url.username === "" && url.password === "" && !/[?#]/.test(text);
}

/** Where the database is. */
export const databaseUrl = z.string().transform((text, context): DatabaseLocation => {
  if (/^postgres(ql)?:/.test(text)) {
    const url = URL.parse(text);
    if (url !== null && url.host !== "" && url.pathname.length > 1) {
      const name = `postgres://${url.username}${url.username && "@"}${url.host}${url.pathname}`;
      return { kind: "postgres", url: new Secret(text), name };
    }
    context.addIssue("must be postgres://<user>:<password>@<host>/<database>");
    return z.NEVER;
  }
  // SQLite creates what is missing without being told, as `mode=rwc` does elsewhere.
  const path = /^sqlite:(?:\/\/(?=\/))?(.+?)(?:\?mode=rwc)?$/s.exec(text)?.[1];
  if (path === undefined) {
    context.addIssue("must be sqlite:<path>, sqlite::memory: or postgres://…");
    return z.NEVER;
  }
  return { kind: "sqlite", path };
});

/** The URL of a media server. */
export const serverUrl = z.string().refine(
  (text) => /^(https?|wss?):$/.test(URL.parse(text)?.protocol ?? ""),
  "must be an http:, https:, ws: or wss: URL",
);

/** Origins of web pages, with commas between them; each a scheme and a host, and nothing more. */
export const origins: z.ZodType<readonly string[], string> = z.string()
  .transform((text) => text.split(",").map((item) => item.trim()).filter((item) => item !== ""))
  .refine(
    (items) => items.every((item) => /^https?:/.test(item) && URL.parse(item)?.origin === item),
    "must be origins as https://app.example, with commas between them",
  );
