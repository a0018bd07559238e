/** Patterns of file paths: `*`, `**`, `?`, `[a-z]`, `{a,b}`. */

const SPECIAL = /[\\^$.+()|]/;

/** The pattern as a regular expression's source that matches a whole path. */
export function globSource(glob: string): string {
  let source = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at] as string;
    if (char === "*" && glob[at + 1] === "*") {
      const isSegment = (at === 0 || glob[at - 1] === "/") && glob[at + 2] === "/";
      source += isSegment ? "(?:[^/]+/)*" : ".*";
      at += isSegment ? 2 : 1;
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[" && glob.indexOf("]", at + 2) > 0) {
      const end = glob.indexOf("]", at + 2);
      const set = glob.slice(at + 1, end).replace(/^[!^]/, "^").replaceAll(/[\\[\]]/g, "\\$&");
      source += `[${set}]`;
      at = end;
    } else if (char === "{" && glob.indexOf("}", at) > 0) {
      source += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (char === "," && depth > 0) source += "|";
    else if (char === "\\" && at + 1 < glob.length) source += escape(glob[++at] as string);
    else source += escape(char);
  }
  return source;
}

function escape(char: string): string {
  return SPECIAL.test(char) || "*?[]{}/".includes(char) ? `\\${char}` : char;
}

/** Whether a path, or a folder that it is in, is meant by the pattern; without `/` by any name. */
export function globMatcher(glob: string): (path: string) => boolean {
  const pattern = glob.replace(/\/$/, "");
  const anywhere = pattern.includes("/") ? "" : "(?:.*/)?";
  const expression = new RegExp(`^${anywhere}${globSource(pattern)}(?:/.*)?$`, "su");
  return (path) => expression.test(path);
}
