/** Questions to whoever sits at the terminal, and addresses for the browser. */
import type { Output } from "../user.ts";

/** Asks for one line; undefined where nobody sits there. */
export type Ask = (question: string) => Promise<string | undefined>;

/** Asks on the terminal; the question goes to standard error, so that results stay alone. */
export const askTerminal: Ask = async (question) => {
  if (!Deno.stdin.isTerminal()) return undefined;
  await Deno.stderr.write(new TextEncoder().encode(question));
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(1024);
  while (!text.includes("\n")) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text.split("\n", 1)[0]!.trim();
};

/** Shows an address, and opens the browser where there is a desktop. */
export function showInBrowser(output: Output, open: boolean): (url: string) => void {
  return (url) => {
    output.note(`Sign in with a browser of this machine, within 100 seconds:\n\n  ${url}\n`);
    const command = open ? browserCommand() : undefined;
    if (command === undefined) return;
    const [program, ...args] = command;
    try {
      const child = new Deno.Command(program, {
        args: [...args, url],
        ...{ stdin: "null", stdout: "null", stderr: "null" },
      }).spawn();
      child.unref();
      void child.status;
    } catch {
      output.note("No browser could be opened: open the address by hand");
    }
  };
}

function browserCommand(): readonly [string, ...string[]] | undefined {
  const { os } = Deno.build;
  if (os === "darwin") return ["open"];
  if (os === "windows") return ["rundll32", "url.dll,FileProtocolHandler"];
  const hasDesktop = Deno.env.get("DISPLAY") || Deno.env.get("WAYLAND_DISPLAY");
  return hasDesktop ? ["xdg-open"] : undefined;
}
