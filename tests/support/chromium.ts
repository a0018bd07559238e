import { type Browser, chromium } from "./packages/playwright_core.ts";
import { waitUntil } from "./wait_until.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  "--disable-background-networking",
];
/** Milliseconds for one start: the first one on a slow machine reads hundreds of megabytes. */
const PATIENCE = 120_000;

const program = [Deno.env.get("CHROMIUM") ?? "", ...PLACES].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Starts it, without a window; the caller closes it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: program!, timeout: PATIENCE, args: FLAGS });
}

/** Why tests cannot have a Chromium on this machine; undefined where they can. `CHROMIUM` names one. */
export const whyNoChromium: string | undefined = program === undefined
  ? "no Chromium here"
  : await whyItFails(program);

/** By a process of its own, of which nothing is left when the tests begin. */
async function whyItFails(path: string): Promise<string | undefined> {
  const profile = await Deno.makeTempDir({ prefix: "parley-chromium-" });
  try {
    const { success, stderr } = await new Deno.Command(path, {
      args: ["--headless", ...FLAGS, `--user-data-dir=${profile}`, "--dump-dom", "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: AbortSignal.timeout(PATIENCE),
    }).output();
    if (success) return undefined;
    return `Chromium does not start here: ${new TextDecoder().decode(stderr).trim()}`;
  } finally {
    // Its helpers may write there a moment longer.
    await waitUntil(() => Deno.remove(profile, { recursive: true }).then(() => true));
  }
}
