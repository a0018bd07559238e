import { assertEquals } from "@std/assert";
import { type DoctorMeans, runDoctor } from "../../cli/doctor.ts";
import type { Finding, Step } from "../../cli/doctor/findings.ts";
import { HeaderProxy, type HeaderProxyOptions } from "./header_proxy.ts";
import { startServer, type TestServer } from "./server.ts";

/** What a doctor has said. */
export interface Report {
  readonly code: number;
  readonly url: string;
  readonly ok: boolean;
  readonly steps: readonly Finding[];
  /** The finding of a step; undefined when it was not reached. */
  step(step: Step): Finding | undefined;
  /** All that is no pass, as `failure tls`. */
  readonly troubles: readonly string[];
}

/** Somewhere without a server, so that the doctor signs in only as it is told. */
export const NO_DATA = { PARLEY_DATA_DIR: "/nonexistent/parley" };

/** Runs the doctor with `--json`. */
export async function examine(
  args: readonly string[],
  means: DoctorMeans = {},
  env: Record<string, string> = NO_DATA,
): Promise<Report> {
  const results: string[] = [];
  const output = { result: (text: string) => void results.push(text), note: () => {} };
  const code = await runDoctor([...args, "--json"], env, output, {
    authorities: [pem("authority.pem")],
    ...means,
  });
  const report = JSON.parse(results.join("\n")) as Pick<Report, "url" | "ok" | "steps">;
  return {
    ...report,
    code,
    step: (step) => report.steps.find((finding) => finding.step === step),
    troubles: report.steps.filter(({ outcome }) => outcome !== "pass")
      .map(({ step, outcome }) => `${outcome} ${step}`),
  };
}

/** A file of `tests/data/tls`. */
export function pem(name: string): string {
  return Deno.readTextFileSync(new URL(`../data/tls/${name}`, import.meta.url));
}

/** A certificate of `tests/data/tls` with its key. */
export const certificate = (name: string) => ({
  cert: pem(`${name}.pem`),
  key: pem(`${name}.key`),
});

/** Flags that sign a user in. */
export async function signIn(server: TestServer): Promise<string[]> {
  const { id, token } = await server.addUser("ann");
  return ["--login", String(id), "--token", token];
}

/** Examines a real server through a proxy that does something to it. */
export async function throughProxy(
  proxy: Omit<HeaderProxyOptions, "target">,
  means: DoctorMeans = {},
  host = "127.0.0.1",
): Promise<Report> {
  await using server = await startServer();
  await using between = new HeaderProxy({ ...proxy, target: server.url });
  const url = between.url.replace("127.0.0.1", host);
  return await examine([url, ...await signIn(server)], means);
}

/** Whether the head is that of a WebSocket handshake. */
export const isHandshake = (head: string) => /^upgrade: websocket/im.test(head);
/** Every real server lacks nothing but what comes later, so that this is no trouble of these tests. */
export const expectTroubles = (report: Report, expected: readonly string[]) => {
  assertEquals(report.troubles.filter((text) => text !== "warning account"), expected);
  assertEquals(report.code, expected.some((text) => text.startsWith("failure")) ? 1 : 0);
  assertEquals(report.ok, report.code === 0);
};
