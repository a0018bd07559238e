/** The pages of signing in, as people meet them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inviteUser } from "../../db/accounts.ts";
import { NativeListener } from "../support/native_app.ts";
import { PASSWORD, signInPath, withSignIn } from "../support/sign_in.ts";
import { assertAccessible, browserTest, picture, typeAtCursor } from "./chromium.ts";

const DESKTOP = { viewport: { width: 900, height: 640 } };
const PHONE = { viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true };

for (
  const [how, options] of [["", DESKTOP], [", without scripts", {
    ...DESKTOP,
    javaScriptEnabled: false,
  }]] as const
) {
  browserTest(
    `[issue 4 browser] login and password bring the editor its token${how}`,
    options,
    async ({ page, loaded }) => {
      await withSignIn({}, async (server) => {
        await using editor = new NativeListener(server.url);
        await page.goto(server.url + signInPath(editor.app, editor.port));
        if (how === "") {
          await assertAccessible(page);
          await picture(page, "sign-in");
        }
        await page.getByLabel("Login").fill("ann");
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Sign in" }).click();
        const { id } = await editor.credentials;
        assertEquals(id, (await server.addUser("ann")).id);
        await page.waitForURL(`${server.url}/native_app_signin_succeeded`);
        if (how === "") {
          await assertAccessible(page);
          await picture(page, "signed-in");
        }
        // Nothing from elsewhere, and no script of our own either.
        const own = [server.url, `http://127.0.0.1:${editor.port}`];
        for (const url of loaded) assert(own.includes(new URL(url).origin), url);
      });
    },
  );
}

browserTest(
  "[issue 4 browser] by keyboard alone: sign in, look at the account, sign out",
  DESKTOP,
  async ({ page, loaded }) => {
    await withSignIn({}, async (server) => {
      await page.goto(`${server.url}/sign_in`);
      // The first field has the cursor.
      await typeAtCursor(page, "Login", "ann");
      await page.keyboard.press("Tab");
      await typeAtCursor(page, "Password", "wrong password");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await assertAccessible(page);
      // The login is still there, the cursor where the mistake was.
      assertEquals(await page.getByLabel("Login").inputValue(), "ann");
      await typeAtCursor(page, "Password", PASSWORD);
      await page.keyboard.press("Enter");
      await page.waitForURL(`${server.url}/account`);
      await assertAccessible(page);
      await picture(page, "account");
      for (let stops = 0;; stops++) {
        assert(stops < 30, "no way to sign out by keyboard");
        await page.keyboard.press("Tab");
        const text = await page.evaluate("document.activeElement.textContent") as string;
        if (/^\s*Sign out of this browser\s*$/.test(text)) break;
      }
      await page.keyboard.press("Enter");
      await page.waitForURL(`${server.url}/sign_in`);
      for (const url of loaded) assertEquals(new URL(url).origin, server.url, url);
    });
  },
);

browserTest(
  "[issue 4 browser] an invitation is taken on a phone, and nothing is cut off",
  PHONE,
  async ({ page }) => {
    await withSignIn({}, async (server) => {
      const { path } = await inviteUser(server.server.store, "cleo", {
        admin: false,
        now: Date.now(),
      });
      await page.goto(server.url + path);
      await assertAccessible(page);
      await picture(page, "invitation-phone");
      const fits = "document.documentElement.scrollWidth <= window.innerWidth";
      assertEquals(await page.evaluate(fits), true);
      for (const field of await page.locator("input[type=password]").all()) {
        await field.fill(PASSWORD);
      }
      await page.getByRole("button").first().tap();
      await page.waitForURL(`${server.url}/account`);
      assertEquals(await page.evaluate(fits), true);
      await assertAccessible(page);
      await page.goto(`${server.url}/sign_in`);
      assertEquals(await page.evaluate(fits), true);
    });
  },
);

browserTest(
  "[issue 4 browser] what goes wrong is told on a page that can be read",
  DESKTOP,
  async ({ page, loaded }) => {
    await withSignIn({}, async (server) => {
      for (
        const path of [
          "/native_app_signin?native_app_port=x",
          "/invitation?token=x",
          "/docs/a",
          "/channel/a-1",
        ]
      ) {
        const answer = await page.goto(server.url + path);
        assertMatch(answer!.headers()["content-type"]!, /^text\/html/, path);
        await assertAccessible(page);
      }
      for (const url of loaded) {
        const { origin, protocol } = new URL(url);
        assert(origin === server.url || protocol === "zed:", url);
      }
    });
  },
);
