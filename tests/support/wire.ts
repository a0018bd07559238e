import { decode, encode, type Init, type MessageName, type MessageTypes } from "../../proto/mod.ts";

/** A message as its receiver decodes it: with its defaults, and without what was left out. */
export function wire<N extends MessageName>(
  name: N,
  value: Init<MessageTypes[N]>,
): MessageTypes[N] {
  return decode(name, encode(name, value));
}
