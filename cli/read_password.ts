/** A password from whoever types it, or from standard input. */
import { UsageError } from "./args.ts";

/** Gets the password for an account. */
export type PasswordReader = (login: string, fromInput: boolean) => Promise<string>;

/** Bytes of the longest first line of standard input. */
const LONGEST = 4096;

/**
 * Asks twice and shows nothing of it, or takes the first line of standard input.
 *
 * @throws {UsageError} when nobody can type, or the two are not the same
 */
export const passwordFromTerminal: PasswordReader = async (login, fromInput) => {
  if (fromInput) return await firstLine(Deno.stdin.readable);
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError("Cannot ask for a password: there is no terminal; use --password-stdin");
  }
  const password = await ask(`Password for ${login}: `);
  if (await ask("The same again: ") !== password) {
    throw new UsageError("Cannot set the password: the two are not the same; start again");
  }
  return password;
};

/** The first line of a stream, without its end. @throws {UsageError} when it is empty or too long */
export async function firstLine(input: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of input) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n") || text.length > LONGEST) break;
  }
  const line = text.split("\n", 1)[0]!.replace(/\r$/, "");
  if (line === "" || line.length > LONGEST) {
    throw new UsageError("Cannot use the password: give it as the first line of standard input");
  }
  return line;
}

/** One line from the terminal, which shows nothing of it. */
async function ask(question: string): Promise<string> {
  const encoder = new TextEncoder();
  await Deno.stderr.write(encoder.encode(question));
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    return await readHidden();
  } finally {
    Deno.stdin.setRaw(false);
    await Deno.stderr.write(encoder.encode("\n"));
  }
}

async function readHidden(): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  let typed: string[] = [];
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return typed.join("");
    for (const character of decoder.decode(buffer.subarray(0, count), { stream: true })) {
      if (character === "\r" || character === "\n") return typed.join("");
      if (character === "\x7f" || character === "\b") typed.pop();
      else if (character === "\x15") typed = [];
      else typed.push(character);
    }
  }
}
