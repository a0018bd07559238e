import { Passwords } from "../../db/passwords.ts";
import { setPassword } from "../../db/accounts.ts";
import { Browser } from "./browser.ts";
import { type NativeApp } from "./native_app.ts";
import { startServer, type TestServer, type TestServerOptions } from "./server.ts";

/** Hashes that cost next to nothing. */
export const cheapPasswords = new Passwords({ log: 4, block: 8, parallel: 1 });

/** The password of every account of these tests. */
export const PASSWORD = "correct horse battery";

/** Runs `body` against a server whose passwords are cheap, with `ann` and the admin `root`. */
export async function withSignIn(
  options: TestServerOptions,
  body: (server: TestServer, browser: Browser) => Promise<void>,
): Promise<void> {
  await using server = await startServer({
    ...options,
    parts: { passwords: cheapPasswords, ...options.parts },
  });
  await server.addUser("ann");
  await server.addUser("root", { admin: true });
  for (const login of ["ann", "root"]) {
    await setPassword(server.server.store, cheapPasswords, login, PASSWORD);
  }
  await body(server, new Browser(server.url));
}

/** The path that an editor opens. */
export function signInPath(app: NativeApp, port = 54321, more = ""): string {
  return `/native_app_signin?native_app_port=${port}&native_app_public_key=${app.publicKey}${more}`;
}
