/** A form of a page, as a browser would send it. */
export interface Form {
  readonly action: string;
  /** Names and values of its inputs, as they are filled in. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A page as a browser got it. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  /** Where it leads, for a redirect. */
  readonly location: string | null;
  readonly text: string;
  readonly forms: readonly Form[];
}

/** A browser without scripts: cookies, links, forms. Redirects are left to the test. */
export class Browser {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** Cookies by name, as they are sent. */
  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies;
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** Opens a path, or an absolute URL of the same server. */
  async open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return await this.#page(
      await fetch(new URL(path, this.#url), {
        headers: { ...headers, ...this.#cookieHeader() },
        redirect: "manual",
      }),
    );
  }

  /** Sends a form, its fields filled in or replaced. */
  async submit(
    form: Form,
    filled: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    return await this.#page(
      await fetch(new URL(form.action, this.#url), {
        method: "POST",
        headers: { ...headers, ...this.#cookieHeader() },
        body: new URLSearchParams({ ...form.fields, ...filled }),
        redirect: "manual",
      }),
    );
  }

  #cookieHeader(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return cookie === "" ? {} : { cookie };
  }

  async #page(response: Response): Promise<Page> {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      this.#cookies.set(name!, value!);
    }
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      location: response.headers.get("location"),
      text,
      forms: formsOf(text),
    };
  }
}

function formsOf(text: string): Form[] {
  return [...text.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([^]*?)<\/form>/g)].map(
    ([, action, content]) => ({
      action: unescape(action!),
      fields: Object.fromEntries(
        [...content!.matchAll(/<input[^>]*?name="([^"]*)"[^>]*>/g)].map(([input, name]) => [
          name!,
          unescape(/value="([^"]*)"/.exec(input)?.[1] ?? ""),
        ]),
      ),
    }),
  );
}

function unescape(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
