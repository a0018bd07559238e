import { assertEquals } from "@std/assert";
import {
  parseSummary,
  splitArguments,
  summaryLine,
  testEnvironment,
} from "../../../scripts/test.ts";

Deno.test("[design 2] test runner reads the summary lines of deno test", () => {
  assertEquals(parseSummary("ok | 12 passed (3 steps) | 0 failed | 2 ignored (29ms)"), {
    passed: 12,
    failed: 0,
    skipped: 2,
  });
  assertEquals(parseSummary("FAILED | 2 passed | 1 failed (1 step) (25ms)"), {
    passed: 2,
    failed: 1,
    skipped: 0,
  });
  assertEquals(parseSummary("ok | 5 passed | 0 failed | 7 filtered out (4ms)"), {
    passed: 5,
    failed: 0,
    skipped: 0,
  });
  assertEquals(parseSummary("a test that prints ok | 5 passed | 0 failed"), undefined);
});

Deno.test("[design 2] test runner tells paths from flags", () => {
  assertEquals(splitArguments(["--filter", "projects 6", "tests/unit", "--fail-fast"]), {
    paths: ["tests/unit"],
    flags: ["--filter", "projects 6", "--fail-fast"],
  });
});

Deno.test("[design 2] test runner keeps the shell's settings away from the tests", () => {
  const settings = [
    "DATABASE_URL",
    "HTTP_HOST",
    "HTTP_PORT",
    "LIVEKIT_KEY",
    "LIVEKIT_SECRET",
    "LIVEKIT_SERVER",
    "PARLEY_DATA_DIR",
    "PARLEY_TIME_SCALE",
    "PUBLIC_URL",
    "npm_command",
  ];
  const env = testEnvironment({
    PATH: "/bin",
    HOME: "/home/ann",
    NO_PROXY: "example.org",
    ...Object.fromEntries(settings.map((name) => [name, "mine"])),
  });
  assertEquals(Object.keys(env).sort(), ["HOME", "NO_COLOR", "NO_PROXY", "PATH", "no_proxy"]);
  assertEquals(env.PATH, "/bin");
  assertEquals(env.NO_PROXY, "example.org,127.0.0.0/8,127.0.0.1,localhost,::1");
});

Deno.test("[design 2] test runner ends with one line of counts", () => {
  assertEquals(summaryLine({ passed: 3, failed: 0, skipped: 1 }), "3 passed, 0 failed, 1 skipped");
});
