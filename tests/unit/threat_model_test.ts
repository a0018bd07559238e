import { assert } from "@std/assert";

Deno.test("[issue 4 threats] each line of docs/THREAT-MODEL.md names tests that exist", async () => {
  const root = new URL("../../", import.meta.url);
  const document = await Deno.readTextFile(new URL("docs/THREAT-MODEL.md", root));
  const rows = document.split("\n").filter((line) => /^\| (?!threat )/.test(line));
  assert(rows.length > 20);
  for (const row of rows) {
    const cell = row.split("|")[3]!;
    const named = [...cell.matchAll(/`([\w/]+(?:_test\.ts)?)`: ([^`]+)/g)];
    assert(named.length > 0, row);
    for (const [, path, titles] of named as unknown as [string, string, string][]) {
      const source = await Deno.readTextFile(new URL(`tests/${path}`, root));
      for (const title of titles.split(";").map((text) => text.trim()).filter(Boolean)) {
        assert(source.includes(title), `${path} has no test "${title}"`);
      }
    }
  }
});
