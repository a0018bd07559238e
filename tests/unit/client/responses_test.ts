import { assertEquals } from "@std/assert";
import { responseNames } from "../../../client/responses_table.ts";
import { envelopeMessages } from "../../../proto/mod.ts";

Deno.test("[transport 2.2.4] the compiler's table of answers is the schema's", () => {
  const schema = envelopeMessages().filter(({ response }) => response !== undefined)
    .map(({ name, response }) => [name, response] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  assertEquals(Object.entries(responseNames), schema as [string, string][]);
});
