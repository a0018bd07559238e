import { assert } from "@std/assert";
import { zeroLoss } from "./zero_loss.ts";

Deno.test("[agents R2, R3] every event arrives once and in order, whoever is killed meanwhile", async () => {
  const { kills } = await zeroLoss(7, 15_000);
  for (const [who, times] of Object.entries(kills)) assert(times > 0, `${who} was not killed`);
});
