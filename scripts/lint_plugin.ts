/** House rules as code: `deno lint` runs them through deno.json. */

/** Longer files than this should be split; `scripts/ok.ts` names them. */
export const LONG_FILE = 400;

/** Longer files than this are an error. */
const TOO_LONG_FILE = 600;

/** Generated code and tables may be as long as they are. */
export function mayBeLong(file: string): boolean {
  return /(?:^|\/)(?:proto\/generated\/|[^/]*(?:_table|tables|routes|_bytes)\.ts$|tests\/data\/)/
    .test(
      file,
    );
}

/** The lines of a source, without the empty one after the last line break. */
export function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

const TAG = /^\[[a-z]+ [^\]]+\]/;
/** Classes whose text is told as it is; others may compose theirs from parts. */
const ERROR_CLASS = /^(?:Type|Range|Syntax|Rpc)?Error$/;

/** The file that may sleep, since the others wait through it. */
const SLEEPER = "tests/support/wait_until.ts";

function isTest(file: string): boolean {
  return /(?:^|\/)tests\//.test(file);
}

/** The text of a string or of a template, holes as `x`; `undefined` for anything else. */
function textOf(node: Deno.lint.Node | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral") return node.quasis.map((part) => part.cooked).join("x");
  return undefined;
}

/** `Deno.test.only` as ["Deno", "test", "only"]; `undefined` where a part is computed. */
function pathOf(node: Deno.lint.Node): string[] | undefined {
  if (node.type === "Identifier") return [node.name];
  if (node.type !== "MemberExpression" || node.property.type !== "Identifier") return undefined;
  const path = pathOf(node.object);
  return path && [...path, node.property.name];
}

/** Where the text of an error stands among its arguments: the first string that is no code. */
function messageOf(args: readonly Deno.lint.Node[]): Deno.lint.Node | undefined {
  return args.find((arg) => !/^[a-z]+(?:_[a-z]+)*$/.test(textOf(arg) ?? "a_code"));
}

const errorMessage: Deno.lint.Rule = {
  create(context) {
    return {
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || !ERROR_CLASS.test(node.callee.name)) return;
        const message = messageOf(node.arguments);
        const text = textOf(message);
        if (!message || !text) return;
        if (/^[a-z]/.test(text) && !startsWithHole(message)) {
          context.report({
            node: message,
            message: "Begin an error message with a capital letter",
          });
        }
        if (/[^.]\.$/.test(text)) {
          context.report({ node: message, message: "End an error message without a period" });
        }
      },
    };
  },
};

function startsWithHole(node: Deno.lint.Node): boolean {
  return node.type === "TemplateLiteral" && node.quasis[0]?.cooked === "";
}

const testName: Deno.lint.Rule = {
  create(context) {
    if (!isTest(context.filename)) return {};
    return {
      CallExpression(node) {
        const path = pathOf(node.callee)?.join(".");
        if (!path || !/^Deno\.test(?:\.\w+)?$/.test(path)) return;
        const name = nameOf(node.arguments[0]);
        const text = textOf(name);
        if (!name || text === undefined || startsWithHole(name) || TAG.test(text)) return;
        context.report({
          node: name,
          message: 'Begin the name of a test with its rule, as in "[projects 6.1] …"',
        });
      },
    };
  },
};

/** The name of a test, given alone or in an options object. */
function nameOf(first: Deno.lint.Node | undefined): Deno.lint.Node | undefined {
  if (first?.type !== "ObjectExpression") return first;
  for (const property of first.properties) {
    if (
      property.type === "Property" && property.key.type === "Identifier" &&
      property.key.name === "name"
    ) return property.value;
  }
  return undefined;
}

const noSkippedTest: Deno.lint.Rule = {
  create(context) {
    const check = (node: Deno.lint.Node, kind: string, reason: string | undefined) => {
      if (kind === "only") {
        context.report({ node, message: "A test that runs alone hides the others" });
      } else if (!reason || !/ \(skipped: .+\)$/.test(reason)) {
        context.report({
          node,
          message:
            'End the name of an ignored test with its reason: "… (skipped: no Postgres here)"',
        });
      }
    };
    return {
      CallExpression(node) {
        const path = pathOf(node.callee)?.join(".");
        const [, kind] = /^(?:Deno\.test|\w+\.step)\.(only|ignore)$/.exec(path ?? "") ?? [];
        if (kind) return check(node, kind, textOf(nameOf(node.arguments[0])));
        if (path !== "Deno.test" && !path?.endsWith(".step")) return;
        const options = node.arguments[0];
        if (options?.type !== "ObjectExpression") return;
        for (const property of options.properties) {
          if (property.type !== "Property" || property.key.type !== "Identifier") continue;
          // A condition, as `Deno.build.os === "windows"`, is its own reason.
          const isTrue = property.value.type === "Literal" && property.value.value === true;
          if (/^(?:only|ignore)$/.test(property.key.name) && isTrue) {
            check(property, property.key.name, textOf(nameOf(options)));
          }
        }
      },
    };
  },
};

const noSleep: Deno.lint.Rule = {
  create(context) {
    if (!isTest(context.filename) || context.filename.endsWith(SLEEPER)) return {};
    const message = "Wait for something observable with waitUntil, or use the fake clock";
    return {
      CallExpression(node) {
        const path = pathOf(node.callee)?.join(".");
        if (path === "delay") context.report({ node, message });
        if (path !== "setTimeout" && path !== "globalThis.setTimeout") return;
        const [callback] = node.arguments;
        // A sleep resolves a promise; a timer that fails a test which hangs is no sleep.
        if (callback?.type === "Identifier" && /^(?:r|res|resolve|done)$/.test(callback.name)) {
          context.report({ node, message });
        }
      },
    };
  },
};

const fileLength: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node) {
        const lines = countLines(context.sourceCode.text);
        if (lines <= TOO_LONG_FILE || mayBeLong(context.filename)) return;
        context.report({
          range: [node.range[0], node.range[0] + 1],
          message: `This file has ${lines} lines; split what is longer than ${TOO_LONG_FILE}`,
        });
      },
    };
  },
};

export default {
  name: "parley",
  rules: {
    "error-message": errorMessage,
    "test-name": testName,
    "no-skipped-test": noSkippedTest,
    "no-sleep": noSleep,
    "file-length": fileLength,
  },
} satisfies Deno.lint.Plugin;
