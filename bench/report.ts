/** The table of the benchmarks. */

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly target: string;
  /** What was measured of Parley. */
  readonly parley: string;
  /** What was measured of the bare server. */
  readonly bare: string;
  /** Parley's figure as a part of the bare server's. */
  readonly ratio: string;
  readonly reached: boolean;
}

const HEAD = ["what", "target", "Parley", "bare Deno", "ratio", "reached"];

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that `share` of the values are below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The rows as a table for people and for Markdown. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what,
    row.target,
    row.parley,
    row.bare,
    row.ratio,
    row.reached ? "yes" : "no",
  ]);
  return aligned([HEAD, ...lines]);
}

/** The lines of the appendix. */
export function appendix(
  lines: readonly { readonly name: string; readonly value: string }[],
): string {
  return aligned([["what", "measured"], ...lines.map(({ name, value }) => [name, value])]);
}

function aligned([head = [], ...lines]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map((line) => (line[column] ?? "").length))
  );
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [
    row(head),
    `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
    ...lines.map(row),
  ]
    .join("\n");
}
