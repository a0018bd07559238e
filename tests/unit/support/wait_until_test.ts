import { assert, assertEquals, assertRejects } from "@std/assert";
import { waitUntil } from "../../support/wait_until.ts";

Deno.test("[design 6] waitUntil returns what the condition gave", async () => {
  let asked = 0;
  assertEquals(await waitUntil(() => ++asked === 3 && "third"), "third");
  assertEquals(await waitUntil(() => Promise.resolve({ found: true })), { found: true });
});

Deno.test("[design 6] waitUntil fails with its description", async () => {
  await assertRejects(
    () => waitUntil(() => false, { timeoutMs: 5, describe: "the guest to join" }),
    Error,
    "Waited 5 ms for the guest to join",
  );
});

Deno.test("[design 6] waitUntil takes a throwing condition as not met and keeps the cause", async () => {
  let asked = 0;
  await waitUntil(() => {
    if (++asked < 3) throw new Error("Not there yet");
    return true;
  });
  const error = await assertRejects(() =>
    waitUntil(() => {
      throw new Error("Never there");
    }, { timeoutMs: 5, describe: () => "a file" })
  );
  assert(error instanceof Error);
  assertEquals(error.message, "Waited 5 ms for a file");
  assertEquals((error.cause as Error).message, "Never there");
});
