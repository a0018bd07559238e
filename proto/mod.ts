/** Zed's messages: their types, what is known about them, and the one codec. */
export { decode, encode, type Init } from "./codec.ts";
export { PROTOCOL_VERSION } from "./generated/schema.ts";
export * from "./generated/types.ts";
export {
  envelopeMessages,
  fieldNumber,
  messageByTag,
  type MessageInfo,
  messageInfo,
} from "./message_info.ts";
export { ProtoError } from "./proto_error.ts";
