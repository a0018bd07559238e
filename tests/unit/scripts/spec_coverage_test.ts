import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { cover, parseRules, tagsOf, testsOf } from "../../../scripts/spec_coverage.ts";

const rules = [
  ...parseRules(
    "projects",
    "# comment\n6.1\t3\tJoining\n6.1a\t5\tJoining twice\n6.2\t3\tLeaving\n" +
      "9\t-\tClients wait\ta fact about clients only\n",
  ),
  ...parseRules("rooms", "Q-8\t3\tFailed rings\n10.2.1\t3\tContacts only\n10.2.2\t3\tSeats\n"),
];

Deno.test("[design 2] spec coverage reads rules and refuses broken lists", () => {
  assertEquals(rules[0], { spec: "projects", id: "6.1", issue: 3, title: "Joining" });
  assertEquals(rules[3], {
    spec: "projects",
    id: "9",
    title: "Clients wait",
    notApplicable: "a fact about clients only",
  });
  assertThrows(() => parseRules("x", "1\t3\tOne\n1\t3\tOne again\n"), SyntaxError, "Two rules");
  assertThrows(() => parseRules("x", "1\t3\n"), SyntaxError, "line 1");
  assertThrows(() => parseRules("x", "1\t-\tNo reason\n"), SyntaxError, "line 1");
  assertThrows(() => parseRules("x", `1\t3\t${"x".repeat(101)}\n`), SyntaxError, "too long");
});

Deno.test("[design 2] spec coverage reads several tags of a name", () => {
  assertEquals(tagsOf("[projects 6.1, 6.2] [rooms QUIRK 8] [other 1] text [1]"), [
    { spec: "projects", id: "6.1" },
    { spec: "projects", id: "6.2" },
    { spec: "rooms", id: "Q-8" },
  ]);
  assertEquals(tagsOf("[projects ${rule}] [projects 6.1] a template's part"), [
    { spec: "projects", id: "6.1" },
  ]);
});

Deno.test("[design 2] spec coverage finds tests, steps and tables of cases", () => {
  const source = `
    Deno.test("[projects 6.1] one", () => {});
    Deno.test.ignore("[projects 6.2] ignored", () => {});
    Deno.test({ name: \`[projects 6.2] three \${n}\`, fn() {} });
    await t.step("[rooms Q8] \\"four\\"", () => {});
    const cases = [["[rooms 10.2.1] five", 5]];
    Deno.test("six has no tag", () => {});
    const text = "[1, 2]";
  `;
  assertEquals(testsOf("a_test.ts", source).map((test) => test.name), [
    "[projects 6.1] one",
    "[projects 6.2] three ${n}",
    '[rooms Q8] "four"',
    "six has no tag",
    "[rooms 10.2.1] five",
  ]);
});

Deno.test("[design 2] spec coverage lists covered, open and not applicable rules", () => {
  const { document, errors } = cover(rules, [
    { file: "tests/unit/a_test.ts", name: "[projects 6.1] [rooms Q8] joins a|b" },
    { file: "tests/unit/a_test.ts", name: "[rooms 10.2] rings" },
  ]);
  assertEquals(errors, []);
  assertStringIncludes(document, "[projects](#projects): 1 covered, 2 open, 1 not applicable");
  assertStringIncludes(
    document,
    "| 6.1 | Joining | [unit/a](../tests/unit/a_test.ts): joins a\\|b |",
  );
  assertStringIncludes(document, "| 6.1a | Joining twice | **open** (5) |");
  assertStringIncludes(
    document,
    "| 9 | Clients wait | not applicable: a fact about clients only |",
  );
  assertStringIncludes(document, "- rooms 10.2: [unit/a]");
  assertStringIncludes(document, "| 10.2.1 | Contacts only | **open** (3) |");
});

Deno.test("[design 2] spec coverage takes a range of rules in the order of the list", () => {
  const test = { file: "tests/unit/a_test.ts", name: "[projects 6.1..6.2] all" };
  assertStringIncludes(cover(rules, [test]).document, "[projects](#projects): 3 covered, 0 open");
  const { errors } = cover(rules, [{ ...test, name: "[projects 6.2..6.1] none" }]);
  assertEquals(errors.length, 1);
});

Deno.test("[design 2] spec coverage refuses tags without rule and open rules of closed parts", () => {
  const test = { file: "tests/unit/a_test.ts", name: "[projects 6.7] nothing" };
  const { errors } = cover(rules, [test], {
    specs: ["rooms"],
    issues: [5],
    awaited: ["rooms 10.2.2"],
  });
  assert(errors[0]?.includes('"projects 6.7", which does not exist'));
  assertEquals(errors.slice(1), [
    'The rule "projects 6.1a" has no test: Joining twice',
    'The rule "rooms Q-8" has no test: Failed rings',
    'The rule "rooms 10.2.1" has no test: Contacts only',
  ]);
});
