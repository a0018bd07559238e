/** What version control ignores, as `.gitignore` files tell it. */
import { globSource } from "./glob.ts";

interface Rule {
  readonly expression: RegExp;
  readonly isNegated: boolean;
  readonly isDirectoryOnly: boolean;
}

/** The rules of one `.gitignore`, on top of those of the folders above. */
export class IgnoreRules {
  readonly #above: IgnoreRules | undefined;
  /** Path of the folder with a slash behind, `""` for the root. */
  readonly #prefix: string;
  readonly #rules: readonly Rule[];

  /**
   * @param folder where the file is, `""` for the root.
   * @param text content of the file.
   */
  constructor(folder: string, text: string, above?: IgnoreRules) {
    this.#above = above;
    this.#prefix = folder === "" ? "" : `${folder}/`;
    this.#rules = text.split(/\r?\n/).flatMap((line) => parseRule(line) ?? []);
  }

  /** Whether a path is ignored by these rules; its folder is not, or is asked for before. */
  ignores(path: string, isDirectory: boolean): boolean {
    const inner = path.slice(this.#prefix.length);
    for (let at = this.#rules.length - 1; at >= 0; at--) {
      const { expression, isNegated, isDirectoryOnly } = this.#rules[at] as Rule;
      if ((isDirectory || !isDirectoryOnly) && expression.test(inner)) return !isNegated;
    }
    return this.#above?.ignores(path, isDirectory) ?? false;
  }
}

function parseRule(line: string): Rule | undefined {
  const text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return undefined;
  const isNegated = text.startsWith("!");
  const pattern = isNegated ? text.slice(1) : text;
  const isDirectoryOnly = pattern.endsWith("/");
  const body = isDirectoryOnly ? pattern.slice(0, -1) : pattern;
  const isAnchored = body.includes("/");
  // Braces mean nothing here.
  const source = globSource(body.replace(/^\//, "").replaceAll(/[{}]/g, "\\$&"));
  try {
    const expression = new RegExp(`^${isAnchored ? "" : "(?:.*/)?"}${source}$`, "su");
    return { expression, isNegated, isDirectoryOnly };
  } catch {
    // Git, too, ignores patterns that it cannot read.
    return undefined;
  }
}
