import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Ask, askAt } from "./http.ts";
import { Browser } from "./browser.ts";
import { type NativeCredentials, NativeListener } from "./native_app.ts";
import { PASSWORD, signInPath } from "./sign_in.ts";
import { TestPeer } from "./test_peer.ts";

/** The outside of one Zed: what it asks for at its start, and what it keeps from one to the next. */
export class Editor {
  readonly serverUrl: string;
  readonly login: string;
  /** What `x-zed-app-version` says. */
  readonly version: string;
  /** The user's browser, which stays signed in. */
  readonly browser: Browser;
  /** What the system's keychain holds. */
  stored: NativeCredentials | undefined;

  constructor(serverUrl: string, login: string, version: string) {
    this.serverUrl = serverUrl;
    this.login = login;
    this.version = version;
    this.browser = new Browser(serverUrl);
  }

  /** Signs in with the browser and keeps the credentials. [transport 4.1] */
  async signInWithBrowser(more = ""): Promise<NativeCredentials> {
    await using listener = new NativeListener(this.serverUrl);
    let page = await this.browser.open(signInPath(listener.app, listener.port, more));
    assertEquals(page.status, 200);
    const [form] = page.forms;
    assert(form !== undefined, "a form");
    page = "password" in form.fields
      ? await this.browser.submit(form, { login: this.login, password: PASSWORD })
      : await this.browser.submit(form);
    assertMatch(page.location ?? "", new RegExp(`^http://127\\.0\\.0\\.1:${listener.port}/\\?`));
    const answer = await fetch(page.location!, { redirect: "manual" });
    await answer.body?.cancel();
    const credentials = await listener.credentials;
    const success = await this.browser.open(answer.headers.get("location")!);
    assertEquals(success.status, 200);
    this.stored = credentials;
    return credentials;
  }

  /** A request with the stored credentials. */
  ask(path: string, options: Omit<Ask, "as"> = {}): Promise<Response> {
    const { stored } = this;
    return askAt(this.serverUrl, path, {
      ...options,
      ...(stored && { as: `${stored.id} ${stored.token}` }),
    });
  }

  /** A request without credentials. */
  fetch(path: string, options: Ask = {}): Promise<Response> {
    return askAt(this.serverUrl, path, options);
  }

  /** Discovery, then the WebSocket and its Hello. [transport 1.1] */
  async connect(query = ""): Promise<TestPeer> {
    const answer = await this.fetch(`/rpc${query}`);
    await answer.body?.cancel();
    assert(answer.status >= 300 && answer.status < 400, `discovery answered ${answer.status}`);
    const location = answer.headers.get("location")!;
    assertMatch(location, /^https?:\/\/[^/]+\/rpc$/);
    return await TestPeer.connect(
      { url: new URL(location).origin, user: { ...this.stored!, login: this.login } },
      { version: this.version, likeZed: true },
    );
  }
}
