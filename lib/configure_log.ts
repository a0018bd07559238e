/** Where the program's messages go. Global to the process: for its own main function alone. */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getStreamSink,
  getTextFormatter,
  type LogRecord,
} from "@logtape/logtape";
import { logCategory } from "./log.ts";

/** What is logged and how. */
export interface LogConfig {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "text" | "json";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
}

/**
 * A value within a line for people. Texts may come from clients: control characters are escaped, and
 * further lines indented, so that nothing looks like a line of the log that is not.
 */
function readable(value: unknown): string {
  return textOf(value).replaceAll("\n", "\n    ").replaceAll(
    /[^\P{Cc}\n]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** One JSON object a line; its message is what people would read. */
function jsonLine(record: LogRecord): string {
  const message = record.message.map((part, at) => at % 2 === 0 ? part : textOf(part)).join("");
  return jsonOf({ ...record, message: [message] });
}

const jsonOf = getJsonLinesFormatter({ properties: "flatten", message: "rendered" });

/**
 * Directs all logs of the process to a stream, standard error unless told otherwise. For the
 * program's own main function: libraries and embedded servers leave the process' logging alone.
 *
 * @returns a function that writes what is left and ends the logging.
 */
export async function configureLog(
  config: LogConfig,
  stream: WritableStream<Uint8Array> = Deno.stderr.writable,
): Promise<() => Promise<void>> {
  const formatter = config.format === "json" ? jsonLine : getTextFormatter({
    timestamp: "time",
    level: "FULL",
    format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
    value: readable,
  });
  const sink = getStreamSink(unbreakable(stream), { formatter, closeStream: false });
  await configure({
    reset: true,
    sinks: { stream: sink },
    loggers: [
      { category: logCategory, lowestLevel: config.level, sinks: ["stream"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stream"] },
    ],
  });
  return dispose;
}

/**
 * The same stream, but one whose reader may go away: a log that nobody reads any more must not end
 * the server, or be told about in the log.
 */
function unbreakable(stream: WritableStream<Uint8Array>): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      const writer = stream.getWriter();
      try {
        await writer.write(chunk);
      } catch {
        // There is nobody to tell.
      } finally {
        writer.releaseLock();
      }
    },
  });
}
