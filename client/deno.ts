/** The client library for Deno: all of `node.ts`, which runs there too, and Deno's own sockets. */
export * from "./node.ts";
export { FileOutbox } from "./agent_outbox_file.ts";
export { DiskFiles } from "./disk_files.ts";
export { createDenoTransport, denoTransport } from "./transport_deno.ts";
