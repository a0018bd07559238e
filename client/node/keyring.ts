/** The system's keyring, through the command that each system brings, as a place for one key. */
import { spawn } from "node:child_process";
import process from "node:process";
import { base64, fromBase64 } from "../base64.ts";
import type { KeySource } from "./file_store.ts";

/** Runs a command with something at its standard input; undefined when it cannot or fails. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  input: string,
) => Promise<string | undefined>;

/** How a {@link keyringKey} gets to its keyring. */
export interface KeyringOptions {
  readonly platform?: string;
  readonly run?: RunCommand;
}

const SERVICE = "parley-client";

/**
 * A random key that the keyring keeps: `secret-tool` (Secret Service) on Linux, `security` on macOS.
 *
 * @returns undefined where there is no such keyring: ask for a passphrase then.
 */
export async function keyringKey(
  { platform = process.platform, run = runCommand }: KeyringOptions = {},
): Promise<KeySource | undefined> {
  const keyring = platform === "linux"
    ? linux(run)
    : platform === "darwin"
    ? macOs(run)
    : undefined;
  if (keyring === undefined) return undefined;
  let text = (await keyring.read())?.trim();
  if (!text) {
    await keyring.write(base64(crypto.getRandomValues(new Uint8Array(32))));
    // A keyring that does not give back what it took is none.
    text = (await keyring.read())?.trim();
  }
  if (!text) return undefined;
  const key = fromBase64(text);
  return { key: () => Promise.resolve(key) };
}

interface Keyring {
  read(): Promise<string | undefined>;
  write(secret: string): Promise<unknown>;
}

function linux(run: RunCommand): Keyring {
  const attributes = ["service", SERVICE, "account", "credentials-key"];
  return {
    read: () => run("secret-tool", ["lookup", ...attributes], ""),
    write: (secret) => run("secret-tool", ["store", "--label", "Parley", ...attributes], secret),
  };
}

function macOs(run: RunCommand): Keyring {
  const item = ["-s", SERVICE, "-a", "credentials-key"];
  return {
    read: () => run("security", ["find-generic-password", ...item, "-w"], ""),
    // `-i` takes the command from standard input, so that no process list shows the secret.
    write: (secret) =>
      run("security", ["-i"], `add-generic-password -U ${item.join(" ")} -w ${secret}\n`),
  };
}

const runCommand: RunCommand = (command, args, input) =>
  new Promise((resolve) => {
    const child = spawn(command, [...args], { stdio: ["pipe", "pipe", "ignore"] });
    let output = "";
    child.stdout.on("data", (chunk) => output += chunk);
    // Not there: no keyring on this system.
    child.on("error", () => resolve(undefined));
    child.stdin.on("error", () => {});
    child.on("close", (code) => resolve(code === 0 ? output : undefined));
    child.stdin.end(input);
  });
