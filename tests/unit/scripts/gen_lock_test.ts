import { assertEquals, assertThrows } from "@std/assert";
import { type Lock, run, serverLock } from "../../../scripts/gen_lock.ts";

const lock: Lock = {
  version: "5",
  specifiers: { "npm:@team/used@1.0.0": "1.0.0", "npm:tested@2.0.0": "2.0.0_used@1.0.0" },
  npm: {
    "@team/used@1.0.0": { integrity: "a", dependencies: ["shared@1.0.0"] },
    "shared@1.0.0": { integrity: "b", optionalDependencies: ["alone"] },
    "shared@2.0.0": { integrity: "c" },
    "alone@3.0.0": { integrity: "d" },
    "tested@2.0.0_used@1.0.0": { integrity: "e", dependencies: ["shared@2.0.0", "alone"] },
  },
  workspace: { dependencies: ["npm:@team/used@1.0.0"] },
};

Deno.test("[design 4] a server's lock file has what deno.json names and needs, and nothing of the tests", () => {
  assertEquals(serverLock(lock), {
    version: "5",
    specifiers: { "npm:@team/used@1.0.0": "1.0.0" },
    npm: {
      // There is one version of it now, which Deno writes without its number.
      "@team/used@1.0.0": { integrity: "a", dependencies: ["shared"] },
      "shared@1.0.0": { integrity: "b", optionalDependencies: ["alone"] },
      "alone@3.0.0": { integrity: "d" },
    },
    workspace: lock.workspace,
  });
});

Deno.test("[design 4] a lock file with a hole is named", () => {
  const { "alone@3.0.0": _, ...npm } = lock.npm;
  assertThrows(() => serverLock({ ...lock, npm }), Error, 'Cannot find "alone"');
});

Deno.test("[design 4] a start of the server downloads no package that only tests need", async () => {
  assertEquals(await run(true), [], "stale; run deno task gen");
});
