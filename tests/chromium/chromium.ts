/** A real browser, where the machine has one. */
import axe from "../support/packages/axe_core.ts";
import { assertEquals } from "@std/assert";
import {
  type BrowserContextOptions,
  chromium,
  type Page,
} from "../support/packages/playwright_core.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Its program; undefined where there is none. `CHROMIUM` names another one. */
export const program = [Deno.env.get("CHROMIUM"), ...PATHS].find((path) => {
  try {
    return path !== undefined && Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** One page of a new browser, with what it has asked for. */
export interface Visit {
  readonly page: Page;
  /** Every URL that the page and those behind it have loaded. */
  readonly loaded: readonly string[];
}

/**
 * A test in Chromium. The browser is a process of a Node library, whose pipes Deno's sanitizers do
 * not know.
 */
export function browserTest(
  name: string,
  options: BrowserContextOptions,
  body: (visit: Visit) => Promise<void>,
): void {
  Deno.test({
    name: `${name}${program ? "" : " (skipped: no Chromium here)"}`,
    ignore: program === undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const browser = await chromium.launch({
        executablePath: program!,
        args: ["--no-sandbox", "--disable-background-networking"],
      });
      try {
        const page = await (await browser.newContext(options)).newPage();
        const loaded: string[] = [];
        page.on("request", (request) => void loaded.push(request.url()));
        await body({ page, loaded });
      } finally {
        await browser.close();
      }
    },
  });
}

/** Nothing in the page is in the way of somebody who cannot see it or use a mouse. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  assertEquals(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]), []);
}

/**
 * Types into the field `label` once the page has put the cursor there by itself: Chromium does so
 * with a frame of its own, which may come after the page has loaded.
 */
export async function typeAtCursor(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).and(page.locator(":focus")).waitFor();
  await page.keyboard.type(text);
}

/** Writes a picture for `docs/`, where it is asked for: pictures differ between machines. */
export async function picture(page: Page, name: string): Promise<void> {
  if (Deno.env.get("PARLEY_PICTURES") === undefined) return;
  const path = new URL(`../../docs/images/${name}.png`, import.meta.url).pathname;
  await page.screenshot({ path });
}
