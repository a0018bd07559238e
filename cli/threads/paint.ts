/** Colours for people, on a terminal only; and text of others, without what a terminal would obey. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

/** @param isTerminal whether it is for eyes, and those want colours */
export function paintFor(isTerminal: boolean): Paint {
  if (!isTerminal) return (_, text) => text;
  return (colour, text) => text === "" ? "" : `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}

/** Whether colours are wanted on standard output. */
export function wantsColours(env: Readonly<Record<string, string | undefined>>): boolean {
  return Deno.stdout.isTerminal() && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Nothing that an agent says moves the cursor or sets the title. */
export function harmless(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what is taken out
  return text.replace(/\r\n/g, "\n").replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}
