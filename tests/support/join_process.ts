/** Runs `join_through.ts` as a machine that has added the authority of the tests to those it trusts. */

const ROOT = new URL("../../", import.meta.url).pathname;

/** Folder of the certificates; `good` is for 127.0.0.1. */
export const CERTIFICATES = `${ROOT}tests/data/tls/`;

/** @returns what it has printed: `joined`, or what went wrong */
export async function joined(url: string, ...users: readonly unknown[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `${ROOT}tests/support/join_through.ts`,
      url,
      ...users.map((user) => JSON.stringify(user)),
      Deno.env.get("PARLEY_TEST_IDLE") ?? "0",
    ],
    env: { DENO_CERT: `${CERTIFICATES}authority.pem`, NO_PROXY: "127.0.0.1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return `${text.decode(stdout)}${text.decode(stderr)}`;
}
