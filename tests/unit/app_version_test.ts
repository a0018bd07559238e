import { assert, assertEquals } from "@std/assert";
import {
  type AppVersion,
  isOlder,
  knowsBatchedDiagnostics,
  parseAppVersion,
  wantsUserPlan,
} from "../../lib/app_version.ts";

function version(text: string): AppVersion {
  const parsed = parseAppVersion(text);
  assert(parsed !== undefined, text);
  return parsed;
}

Deno.test("[transport 1.5.4] versions are three numbers, perhaps with prerelease and build data", () => {
  const numbers = ["1.2.3", "0.191.0", "1.2.3-pre.1", "1.2.3+stable.123.abc", "1.2.3-dev+stable.5"];
  assertEquals(
    numbers.map((text) => version(text)).map(({ major, minor, patch }) => [major, minor, patch]),
    [
      [1, 2, 3],
      [0, 191, 0],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ],
  );
  assertEquals(version("1.2.3-pre.1+abc").prerelease, "pre.1");
  assertEquals(version("1.2.3+abc").prerelease, "");
  assertEquals(version(" 1.2.3+abc ").text, "1.2.3+abc");
});

Deno.test("[rooms 3.3] what is no version is refused", () => {
  const texts = [
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "v1.2.3",
    "01.2.3",
    "1.2.-3",
    "1.2.3-",
    "1.2.3+",
    "a.b.c",
    "1.2.3 4",
    "99999999999.0.0",
    "1.2.x",
  ];
  for (const text of texts) assertEquals([text, parseAppVersion(text)], [text, undefined]);
});

Deno.test("[transport 1.5.4] versions are compared in all three numbers, as numbers", () => {
  const older = [["0.157.0", [0, 158, 0]], ["0.9.0", [0, 10, 0]], ["1.5.2", [1, 5, 3]], [
    "0.999.999",
    [1, 0, 0],
  ]];
  for (const [text, [major, minor, patch]] of older as [string, [number, number, number]][]) {
    assert(isOlder(version(text), major, minor, patch), text);
  }
  const not = [["0.157.0", [0, 157, 0]], ["0.200.0", [0, 157, 9]], ["1.0.0", [0, 999, 999]], [
    "1.5.10",
    [1, 5, 9],
  ]];
  for (const [text, [major, minor, patch]] of not as [string, [number, number, number]][]) {
    assertEquals(isOlder(version(text), major, minor, patch), false, text);
  }
});

Deno.test("[transport T9] build data does not count, a prerelease comes before its release", () => {
  assertEquals(isOlder(version("1.5.3+stable.9"), 1, 5, 3), false);
  assert(isOlder(version("1.5.3-pre.1"), 1, 5, 3));
  assertEquals(isOlder(version("1.5.4-pre.1"), 1, 5, 3), false);
});

Deno.test("[rooms 4.2c] only clients of June 2025 are told their plan", () => {
  assert(wantsUserPlan(version("0.191.0")));
  assertEquals(wantsUserPlan(version("0.205.0")), false);
  assertEquals(wantsUserPlan(version("1.3.0")), false);
});

Deno.test("[projects 6.4d] clients of 2026 know batched diagnostics, older ones do not", () => {
  assert(knowsBatchedDiagnostics(version("1.0.0")));
  assertEquals(knowsBatchedDiagnostics(version("0.220.5")), false);
});
