// deno-lint-ignore-file no-console
/**
 * Writes `docs/SPEC-COVERAGE.md`: each rule of the specifications (`tests/rules/*.tsv`) with the tests
 * whose names carry its tag, or open, or not applicable with the reason.
 *
 *     deno run -A scripts/spec_coverage.ts           writes the file
 *     deno run -A scripts/spec_coverage.ts --check   fails when it is stale, or a tag names no rule
 */

import { syncFile } from "./generated_files.ts";

/** One row of `tests/rules/*.tsv`. */
export interface Rule {
  readonly spec: string;
  readonly id: string;
  /** The issue in which it is due; absent for rules that do not apply. */
  readonly issue?: number;
  readonly title: string;
  readonly notApplicable?: string;
}

/** A rule that the name of a test carries. */
export interface Tag {
  readonly spec: string;
  readonly id: string;
}

/** A test or a step of one, by its name in the source. */
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** The specifications, in the order of the document. */
const SPECS = [
  "design",
  "projects",
  "rooms",
  "transport",
  "channels",
  "agents",
  "local",
] as const;

/**
 * What is finished: an open rule of these specifications, or due in these issues, is an error. An
 * issue is added with the change that closes it.
 */
const CLOSED: {
  readonly specs: readonly string[];
  readonly issues: readonly number[];
  /** Rules of closed specifications that are still being worked on; to be empty. */
  readonly awaited: readonly string[];
} = {
  specs: ["projects", "rooms", "transport", "channels", "agents", "local"],
  issues: [1, 2, 3, 4, 5, 6, 7, 8],
  awaited: [],
};

const DOCUMENT = "docs/SPEC-COVERAGE.md";
const TAG = new RegExp(`\\[(${SPECS.join("|")}) ([^\\]]+)\\]`, "g");
const TEST_NAME =
  /(?:Deno\.test(?:\.\w+)?|\.step)\(\s*(?:\{[^{}]*?name:\s*)?(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g;

/** Reads one file of rules. */
export function parseRules(spec: string, text: string): Rule[] {
  const rules: Rule[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [id, issue, title, notApplicable] = line.split("\t");
    if (!id || !issue || !title || (issue === "-") !== (notApplicable !== undefined)) {
      throw new SyntaxError(`Cannot read line ${index + 1} of the rules of ${spec}: "${line}"`);
    }
    if (title.length > 100) throw new SyntaxError(`Title of ${spec} ${id} is too long`);
    if (rules.some((rule) => rule.id === id)) throw new SyntaxError(`Two rules ${spec} ${id}`);
    if (notApplicable) rules.push({ spec, id, title, notApplicable });
    else rules.push({ spec, id, title, issue: Number(issue) });
  }
  return rules;
}

/** `QUIRK 3`, `Q3` and `Q-3` are the same rule. */
function normalizeId(id: string): string {
  return id.trim().replace(/^Q(?:UIRK)?[ -]?(\d+)$/i, "Q-$1");
}

/** All tags of a name: `[projects 6.1, 6.2] [rooms 10.5] [channels V1..V20] …`. */
export function tagsOf(name: string): Tag[] {
  const tags: Tag[] = [];
  for (const [, spec, ids] of name.matchAll(TAG)) {
    for (const id of (ids as string).split(",")) {
      // A template's part; the tables that fill it in have the tag in their texts.
      if (id.includes("${")) continue;
      tags.push({ spec: spec as string, id: normalizeId(id) });
    }
  }
  return tags;
}

/** Everything in a source file that names a rule: tests, steps, and cases whose names have a tag. */
export function testsOf(file: string, text: string): NamedTest[] {
  const names = new Set<string>();
  // An ignored test covers nothing.
  const source = text.replaceAll(/\.ignore\(\s*(["'`])(?:[^\\]|\\.)*?\1/g, "");
  for (const [, double, single, template] of source.matchAll(TEST_NAME)) {
    names.add(double ?? single ?? template ?? "");
  }
  // Tables of cases and suites for several databases build their names elsewhere than at the call.
  for (const [, quote, text] of source.matchAll(/(["'`])(\[(?:[^"'`\\\n]|\\.)*)\1/g)) {
    if (quote && text && tagsOf(text).length > 0) names.add(text);
  }
  return [...names].map((name) => ({ file, name: name.replaceAll(/\\(.)/g, "$1") }));
}

/** The rules that a tag names: one, a range in the order of the list, or a whole section. */
function resolve(id: string, rules: readonly Rule[]): string[] {
  if (rules.some((rule) => rule.id === id)) return [id];
  const [first, last] = id.split("..").map(normalizeId);
  if (first !== undefined && last !== undefined) {
    const from = rules.findIndex((rule) => rule.id === first);
    const to = rules.findIndex((rule) => rule.id === last);
    return from < 0 || to < from ? [] : rules.slice(from, to + 1).map((rule) => rule.id);
  }
  const isPart = (rule: Rule) =>
    rule.id.startsWith(id) && /^(?:\.|[a-z])/.test(rule.id.slice(id.length));
  return rules.some(isPart) ? [id] : [];
}

/** The document, and what is wrong with tags and closed rules. */
export interface Coverage {
  readonly document: string;
  readonly errors: readonly string[];
}

/** Puts rules and tests together. */
export function cover(
  rules: readonly Rule[],
  tests: readonly NamedTest[],
  closed: typeof CLOSED = { specs: [], issues: [], awaited: [] },
): Coverage {
  const errors: string[] = [];
  const bySpec = Map.groupBy(rules, (rule) => rule.spec);
  const named = new Map<string, NamedTest[]>();
  for (const test of tests) {
    for (const tag of tagsOf(test.name)) {
      const ids = resolve(tag.id, bySpec.get(tag.spec) ?? []);
      if (ids.length === 0) {
        const key = `${tag.spec} ${tag.id}`;
        errors.push(`${test.file}: "${test.name}" names the rule "${key}", which does not exist`);
      }
      for (const id of ids) {
        const key = `${tag.spec} ${id}`;
        const list = named.get(key) ?? [];
        if (!list.includes(test)) list.push(test);
        named.set(key, list);
      }
    }
  }

  const out = [
    "# Specification coverage",
    "",
    "Generated by `scripts/spec_coverage.ts` from the names of the tests and `tests/rules/`. A rule is",
    "*covered* when a test carries its tag (`[projects 6.1]`), *open* when none does, or *not",
    "applicable*, with the reason. The number is the issue in which an open rule is due.",
    "",
  ];
  for (const [spec, list] of bySpec) {
    out.push(`- [${spec}](#${spec}): ${counts(list, named)}`);
  }
  for (const [spec, list] of bySpec) {
    out.push("", `## ${spec}`, "", ...summary(list, named), "");
    out.push("| rule | | tests |", "|---|---|---|");
    for (const rule of list) {
      const tests = named.get(`${spec} ${rule.id}`) ?? [];
      if (tests.length === 0 && rule.issue !== undefined) {
        const isClosed = (closed.specs.includes(spec) || closed.issues.includes(rule.issue)) &&
          !closed.awaited.includes(`${spec} ${rule.id}`);
        if (isClosed) errors.push(`The rule "${spec} ${rule.id}" has no test: ${rule.title}`);
      }
      out.push(`| ${rule.id} | ${rule.title} | ${state(rule, tests)} |`);
    }
    const sections = [...named.keys()].filter((key) =>
      key.startsWith(`${spec} `) && !list.some((rule) => key === `${spec} ${rule.id}`)
    ).sort();
    if (sections.length > 0) {
      out.push("", "Tests of whole sections, which cover no single rule:", "");
    }
    for (const key of sections) out.push(`- ${key}: ${links(named.get(key) ?? [])}`);
  }
  return { document: out.join("\n") + "\n", errors };
}

function state(rule: Rule, tests: readonly NamedTest[]): string {
  if (tests.length > 0) return links(tests);
  return rule.notApplicable ? `not applicable: ${rule.notApplicable}` : `**open** (${rule.issue})`;
}

/** More names than this in one file are only counted. */
const NAMES_SHOWN = 3;

function links(tests: readonly NamedTest[]): string {
  return [...Map.groupBy(tests, (test) => test.file)]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([file, list]) => {
      const label = file.replace(/^tests\//, "").replace(/_test\.ts$/, "");
      const names = list.slice(0, NAMES_SHOWN).map((test) => plain(test.name));
      if (list.length > NAMES_SHOWN) names.push(`and ${list.length - NAMES_SHOWN} more`);
      return `[${label}](../${file}): ${names.join("; ")}`;
    })
    .join("<br>");
}

/** A name without its tags, fit for a cell of a table. */
function plain(name: string): string {
  const text = name.replaceAll(TAG, "").replaceAll(/\$\{[^}]*\}/g, "…").trim();
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

function tally(rules: readonly Rule[], named: ReadonlyMap<string, NamedTest[]>) {
  const isCovered = (rule: Rule) => named.has(`${rule.spec} ${rule.id}`);
  const covered = rules.filter(isCovered).length;
  const open = rules.filter((rule) => !isCovered(rule) && !rule.notApplicable).length;
  return { covered, open, notApplicable: rules.length - covered - open };
}

function counts(rules: readonly Rule[], named: ReadonlyMap<string, NamedTest[]>): string {
  const { covered, open, notApplicable } = tally(rules, named);
  return `${covered} covered, ${open} open, ${notApplicable} not applicable`;
}

function summary(rules: readonly Rule[], named: ReadonlyMap<string, NamedTest[]>): string[] {
  const out = ["| due in issue | covered | open |", "|---|---|---|"];
  const byIssue = Map.groupBy(rules.filter((rule) => rule.issue !== undefined), (r) => r.issue);
  for (const [issue, list] of [...byIssue].sort(([a], [b]) => Number(a) - Number(b))) {
    const { covered, open } = tally(list, named);
    out.push(`| ${issue} | ${covered} | ${open} |`);
  }
  const rest = rules.filter((rule) => rule.notApplicable).length;
  if (rest > 0) out.push("", `Not applicable: ${rest}.`);
  return out;
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** Reads rules and tests from the working tree. */
export async function load(): Promise<Coverage> {
  const rules: Rule[] = [];
  for (const spec of SPECS) {
    rules.push(...parseRules(spec, await Deno.readTextFile(`tests/rules/${spec}.tsv`)));
  }
  const files: string[] = [];
  for await (const file of sources("tests")) files.push(file);
  files.sort();
  const tests: NamedTest[] = [];
  for (const file of files) {
    // These test the reading of tags: their tags are examples.
    if (file === "tests/unit/scripts/spec_coverage_test.ts") continue;
    tests.push(...testsOf(file, await Deno.readTextFile(file)));
  }
  return cover(rules, tests, CLOSED);
}

/** Writes the document or, to check, compares it; false when something is wrong. */
export async function run(check: boolean): Promise<boolean> {
  const { document, errors } = await load();
  for (const error of errors) console.error(error);
  const file = new URL(`../${DOCUMENT}`, import.meta.url);
  const isStale = (await syncFile(file, document, check)).length > 0 && check;
  if (isStale) console.error(`${DOCUMENT} is stale: run \`deno task gen\``);
  return errors.length === 0 && !isStale;
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  Deno.exit(await run(Deno.args.includes("--check")) ? 0 : 1);
}
