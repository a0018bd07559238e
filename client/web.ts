/** The client library for web pages: all of `mod.ts`, with the WebSocket of browsers. */
export * from "./mod.ts";
export { WebStore } from "./credentials/web_store.ts";
export { webTransport, type WebTransportOptions } from "./transport_web.ts";
