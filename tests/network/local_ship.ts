/** A local server of this checkout on one machine, and people on others who ask it. */
import { LocalShell } from "../support/local_shell.ts";
import { Printing } from "../support/printing.ts";
import type { Question } from "./ask.ts";
import type { Machine } from "./machines.ts";
import { Program } from "./program.ts";

/** An answer; status 0 for none, with the reason. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What `discover --json` lists. */
export interface Listed {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly fingerprint: string;
  readonly pairing: string;
}

/** The server; gone at the end, with its home folder. */
export class LocalShip implements AsyncDisposable {
  private constructor(
    readonly machine: Machine,
    readonly shell: LocalShell,
    readonly server: Printing,
  ) {}

  /** Starts `serve-local` and waits for its box. */
  static async start(machine: Machine, ...args: string[]): Promise<LocalShip> {
    const shell = await LocalShell.open();
    const ship = new LocalShip(
      machine,
      shell,
      new Printing(on(machine, shell, ["serve-local", ...args])),
    );
    await ship.server.match(/Zed's settings/);
    return ship;
  }

  get url(): string {
    return `https://${this.machine.address}:45454`;
  }

  /** The code that was shown last. */
  get code(): string {
    return [...this.server.output.matchAll(/Pairing code:? +(\S+)/g)].at(-1)?.[1] as string;
  }

  get fingerprint(): string {
    const found = /Fingerprint +([0-9a-f ]+)│\n│ +([0-9a-f ]+)│/.exec(this.server.output);
    return `${found?.[1]}${found?.[2]}`.replaceAll(" ", "");
  }

  /** A command on the server's machine. */
  async run(...args: string[]): Promise<string> {
    return await output(on(this.machine, this.shell, args));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.shell[Symbol.asyncDispose]();
  }
}

/** A command of the program on a machine. */
export function on(machine: Machine, shell: LocalShell, args: readonly string[]): Deno.Command {
  return shell.command(args, ["ip", "netns", "exec", machine.namespace]);
}

/** What a command that has to succeed prints. */
export async function output(command: Deno.Command): Promise<string> {
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Asks from a machine. */
export async function ask(machine: Machine, question: Question): Promise<Answer> {
  await using asking = new Program(machine, "tests/network/ask.ts", [JSON.stringify(question)]);
  return JSON.parse(await asking.line((line) => line.startsWith("{")));
}
