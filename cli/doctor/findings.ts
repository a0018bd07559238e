/** What the doctor finds out, step by step. */

/** What a step looks at, in the order in which they come. */
export type Step =
  | "url"
  | "proxy"
  | "dns"
  | "tcp"
  | "tls"
  | "health"
  | "clock"
  | "discovery"
  | "upgrade"
  | "headers"
  | "handshake"
  | "hello"
  | "pushes"
  | "liveness"
  | "account";

/** A warning is what may be wanted, or harms only some; with a failure no Zed can collaborate. */
export type Outcome = "pass" | "warning" | "failure";

/** The result of one step. */
export interface Finding {
  readonly step: Step;
  readonly outcome: Outcome;
  /** What was found, in one line. */
  readonly text: string;
  /** What that means for a Zed. */
  readonly meaning?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Collects findings, and tells each as it comes. */
export class Findings {
  readonly #found: Finding[] = [];
  readonly #tell: (finding: Finding) => void;

  constructor(tell: (finding: Finding) => void = () => {}) {
    this.#tell = tell;
  }

  /** Everything so far. */
  get all(): readonly Finding[] {
    return this.#found;
  }

  /** How many there are of an outcome. */
  count(outcome: Outcome): number {
    return this.#found.filter((finding) => finding.outcome === outcome).length;
  }

  pass(step: Step, text: string): void {
    this.#add({ step, outcome: "pass", text });
  }

  warn(step: Step, text: string, meaning: string, remedy: string): void {
    this.#add({ step, outcome: "warning", text, meaning, remedy });
  }

  fail(step: Step, text: string, meaning: string, remedy: string): void {
    this.#add({ step, outcome: "failure", text, meaning, remedy });
  }

  #add(finding: Finding): void {
    this.#found.push(finding);
    this.#tell(finding);
  }
}

const MARKS: Readonly<Record<Outcome, string>> = { pass: "✓", warning: "!", failure: "✗" };

/** A finding as lines for people: one, and for what is not right what it means and what to do. */
export function findingText({ step, outcome, text, meaning, remedy }: Finding): string {
  const indent = " ".repeat(13);
  return [
    `${MARKS[outcome]} ${step.padEnd(10)} ${text}`,
    ...(meaning === undefined ? [] : [`${indent}${meaning}`]),
    ...(remedy === undefined ? [] : [`${indent}→ ${remedy}`]),
  ].join("\n");
}

/** Text from elsewhere within a line: short, and with nothing in it that moves a terminal. */
export function quoted(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 117)}...` : line);
}
