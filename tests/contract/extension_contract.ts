/** The part of the store's contract about the registry of extensions. */
import { assertEquals } from "@std/assert";
import { type OpenStore, withStore } from "./store_rows.ts";

/** Registers the tests for one driver; see `store_contract.ts`. */
export function extensionContract(driver: string, open: OpenStore): void {
  Deno.test(
    `[transport 7.1.5] downloads are counted for each version, whether it is yanked or not (${driver})`,
    withStore(open, async ({ extensions }) => {
      const facts = async () =>
        (await extensions.facts()).map(({ id, version, downloads, yankedAt }) =>
          `${id} ${version} ${downloads}${yankedAt === null ? "" : " yanked"}`
        );
      assertEquals(await facts(), []);
      await Promise.all(Array.from({ length: 5 }, () => extensions.countDownload("html", "1.0.0")));
      await extensions.countDownload("html", "1.1.0");
      await extensions.setYanked("html", "1.0.0", true);
      await extensions.setYanked("toml", "0.1.0", true);
      const [{ yankedAt } = { yankedAt: 0 }] = await extensions.facts();
      await extensions.setYanked("html", "1.0.0", true);
      assertEquals((await extensions.facts())[0]?.yankedAt, yankedAt);
      await extensions.countDownload("html", "1.0.0");
      assertEquals(await facts(), ["html 1.0.0 6 yanked", "html 1.1.0 1", "toml 0.1.0 0 yanked"]);
      await extensions.setYanked("html", "1.0.0", false);
      assertEquals(await facts(), ["html 1.0.0 6", "html 1.1.0 1", "toml 0.1.0 0 yanked"]);
    }),
  );
}
