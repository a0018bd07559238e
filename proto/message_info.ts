/** What is known about messages beside their fields. */
import type { MessageName, MessageTypes } from "./generated/types.ts";
import { headOf, messageNames, tableOf } from "./schema_table.ts";

/** What is known about a message beside its fields. */
export interface MessageInfo {
  readonly name: MessageName;
  /** Number of its field in the envelope; none if it only occurs inside other messages. */
  readonly tag?: number;
  /** Name of its field in {@link MessageTypes}'s `Envelope`. */
  readonly field?: string;
  /** How clients rank it: the queue that it waits in. */
  readonly priority?: "foreground" | "background";
  /** The message that answers it, which makes it a request. */
  readonly response?: MessageName;
  /** What it is about: the message that first named such a thing, and the field with its id. */
  readonly entity?: { readonly message: MessageName; readonly field: string };
  /** The only year of clients that know it. */
  readonly only?: "2025" | "2026";
}

interface Catalogue {
  readonly byName: ReadonlyMap<string, MessageInfo>;
  readonly byTag: ReadonlyMap<number, MessageInfo>;
  readonly inEnvelope: readonly MessageInfo[];
}

let catalogue: Catalogue | undefined;

/** @throws {TypeError} There is no such message. */
export function messageInfo(name: MessageName): MessageInfo {
  const info = theCatalogue().byName.get(name);
  if (info === undefined) throw new TypeError(`There is no message named ${name}`);
  return info;
}

/** The message that the envelope's field `tag` holds. */
export function messageByTag(tag: number): MessageInfo | undefined {
  return theCatalogue().byTag.get(tag);
}

/** All messages that an envelope can hold, by their tags. */
export function envelopeMessages(): readonly MessageInfo[] {
  return theCatalogue().inEnvelope;
}

/**
 * The number of a field, which is named in camel case.
 * @throws {TypeError} The message has no such field.
 */
export function fieldNumber<N extends MessageName>(
  message: N,
  field: keyof MessageTypes[N] & string,
): number {
  const found = tableOf(message).byName.get(field);
  if (found === undefined) throw new TypeError(`${message} has no field named ${field}`);
  return found.number;
}

function theCatalogue(): Catalogue {
  return catalogue ??= readCatalogue();
}

function readCatalogue(): Catalogue {
  const byName = new Map<string, MessageInfo>();
  const envelope = tableOf("Envelope").byNumber;
  for (const name of messageNames()) {
    const [tag = "", priority = "", response = "", entity = "", only = ""] = headOf(name)
      .split(",");
    const [message = "", field = ""] = entity.split(".");
    byName.set(
      name,
      Object.freeze({
        name: name as MessageName,
        ...(tag !== "" && { tag: Number(tag), field: envelope[Number(tag)]?.name ?? "" }),
        ...(priority !== "" && { priority: priority as "foreground" | "background" }),
        ...(response !== "" && { response: response as MessageName }),
        ...(entity !== "" && { entity: { message: message as MessageName, field } }),
        ...(only !== "" && { only: only as "2025" | "2026" }),
      }),
    );
  }
  const inEnvelope = [...byName.values()].filter((info) => info.tag !== undefined)
    .sort((a, b) => (a.tag ?? 0) - (b.tag ?? 0));
  const byTag = new Map(inEnvelope.map((info) => [info.tag ?? 0, info]));
  return { byName, byTag, inEnvelope };
}
