import { assertEquals } from "@std/assert";

/** Reads until the server has said where it is, then goes away from both of its pipes. */
async function startUnread(dataDir: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", "serve", "--port", "0", "--data-dir", dataDir],
    cwd: new URL("../..", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Parley listens on ")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The server has ended: ${text}`);
    text += value;
  }
  await Promise.all([reader.cancel(), child.stderr.cancel()]);
  return child;
}

Deno.test("[issue 3 run] a server whose log nobody reads any more goes on, and ends when it is told to", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "parley-log-" });
  try {
    const child = await startUnread(dataDir);
    // It logs that it stops: an error of the log that went into the log would never end.
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const { code, signal } = await child.status;
    clearTimeout(limit);
    assertEquals({ code, signal }, { code: 0, signal: null });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
