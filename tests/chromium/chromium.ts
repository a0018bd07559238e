/** A real browser, where the machine has one. */
import axe from "../support/packages/axe_core.ts";
import { assertEquals } from "@std/assert";
import { startChromium, whyNoChromium } from "../support/chromium.ts";
import type { BrowserContextOptions, Page } from "../support/packages/playwright_core.ts";

/** Milliseconds that the page may take for any one thing; Playwright's own are 30,000. */
const PATIENCE = 120_000;

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
    name: `${name}${whyNoChromium === undefined ? "" : ` (skipped: ${whyNoChromium})`}`,
    ignore: whyNoChromium !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const browser = await startChromium();
      try {
        const context = await browser.newContext(options);
        context.setDefaultTimeout(PATIENCE);
        const page = await context.newPage();
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
