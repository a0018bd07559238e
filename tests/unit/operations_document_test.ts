import { assertEquals } from "@std/assert";
import { createMetrics } from "../../lib/metrics.ts";

Deno.test("[transport 6.3c] docs/OPERATIONS.md names every metric and no other", async () => {
  const text = await createMetrics().text();
  const metrics = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  const document = await Deno.readTextFile(new URL("../../docs/OPERATIONS.md", import.meta.url));
  const [, table = ""] = /\| metric \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/.exec(document) ?? [];
  const named = table.split("\n").flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`(\w+)/g)].map(([, name]) => name)
  );
  assertEquals(named.toSorted(), metrics.toSorted());
});
