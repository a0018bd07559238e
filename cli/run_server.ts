/** Runs a server until it is told to stop. */
import { configureLog, type LogConfig } from "../lib/configure_log.ts";
import { createLog } from "../lib/log.ts";
import type { Output } from "./user.ts";

/** From the signal to the end of the process at the latest, in milliseconds. */
const hardLimit = 9_500;

/** A server as the command line sees it. */
export interface RunnableServer {
  readonly log: LogConfig;
  readonly output: Output;
  /** Starts it; what it resolves with is printed. */
  start(): Promise<string>;
  /** What to tell people about an error of the start. */
  explain(error: unknown): string;
  /** Resolves when it cannot go on. */
  readonly failed: Promise<Error>;
  /** Safe to call when the start has failed. */
  stop(): Promise<void>;
}

/** Resolves with the exit code once the server has ended. */
export async function runServer(server: RunnableServer): Promise<number> {
  const endLog = await configureLog(server.log);
  const log = createLog();
  const stop = stopRequest(log);
  try {
    const greeting = await start(server);
    if (greeting === undefined) return 1;
    server.output.result(greeting);
    const reason = await Promise.race([
      stop.requested,
      server.failed.then((error) => ({ text: error.message, code: 1 })),
    ]);
    const limit = setTimeout(() => Deno.exit(1), hardLimit);
    log.info("Stopping: {reason}", { reason: reason.text });
    await server.stop();
    clearTimeout(limit);
    return reason.code;
  } finally {
    stop.dispose();
    await endLog();
  }
}

async function start(server: RunnableServer): Promise<string | undefined> {
  try {
    return await server.start();
  } catch (error) {
    server.output.note(server.explain(error));
    await server.stop().catch(() => {});
    return undefined;
  }
}

interface StopReason {
  readonly text: string;
  readonly code: number;
}

interface StopRequest {
  readonly requested: Promise<StopReason>;
  dispose(): void;
}

/** Waits for a signal, or for an error that nothing has caught. [style A12] */
function stopRequest(log: ReturnType<typeof createLog>): StopRequest {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  const undo = signals.map((signal) => {
    let seen = false;
    const listener = () => {
      // Who asks twice does not want to wait.
      if (seen) Deno.exit(130);
      seen = true;
      resolve({ text: signal, code: 0 });
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const fail = (event: Event, error: unknown) => {
    event.preventDefault();
    log.error("Uncaught: {error}", { error });
    resolve({ text: "an uncaught error", code: 1 });
  };
  const onError = (event: ErrorEvent) => fail(event, event.error);
  const onRejection = (event: PromiseRejectionEvent) => fail(event, event.reason);
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    requested: promise,
    dispose() {
      for (const remove of undo) remove();
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
