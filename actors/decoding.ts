/** Payloads that cannot be read. */
import { ProtoError } from "../proto/mod.ts";
import { RpcError } from "../rpc/errors.ts";
import { FieldError } from "../rpc/fields.ts";
import { timed } from "./handling.ts";
import type { Inbound } from "./refs/mod.ts";

/** A payload that cannot be read ends its sender's connection. [transport 1.6.5] */
export function decoding(inbound: Inbound, handle: () => void): void {
  try {
    timed(inbound, handle);
  } catch (error) {
    if (error instanceof ProtoError || error instanceof FieldError) {
      inbound.connection.drop("bad_envelope");
      throw RpcError.internal(`the message cannot be read: ${error.message}`);
    }
    throw error;
  }
}
