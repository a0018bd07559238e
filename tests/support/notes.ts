/** Channel notes as tests speak and read them. [channels 14] */
import type { Init, MessageName, MessageTypes } from "../../proto/mod.ts";

type Operation = Init<MessageTypes["Operation"]>;
/** Replica and value. */
type At = readonly [replicaId: number, timestamp: number];

const entry = ([replicaId, timestamp]: At) => ({ replicaId, timestamp });

/** Replaces bytes `start` to `end` of what `version` sees. */
export function edit(
  [replicaId, lamportTimestamp]: At,
  version: readonly At[],
  [start, end]: readonly [number, number],
  text: string,
): Operation {
  const range = { start: BigInt(start), end: BigInt(end) };
  return {
    edit: {
      replicaId,
      lamportTimestamp,
      version: version.map(entry),
      ranges: [range],
      newText: [text],
    },
  };
}

/** Sets how often an edit was undone. */
export function undo(
  [replicaId, lamportTimestamp]: At,
  version: readonly At[],
  [undone, at]: At,
  count: number,
): Operation {
  const counts = [{ replicaId: undone, lamportTimestamp: at, count }];
  return { undo: { replicaId, lamportTimestamp, version: version.map(entry), counts } };
}

/** Moves the author's cursor. */
export function select([replicaId, lamportTimestamp]: At): Operation {
  return { updateSelections: { replicaId, lamportTimestamp, selections: [], lineMode: false } };
}

function operationText(one: Operation): string {
  const { edit, undo, updateSelections } = one as MessageTypes["Operation"];
  if (edit !== undefined) {
    const pieces = edit.ranges.map(({ start, end }, at) =>
      `[${start},${end}]"${edit.newText[at] ?? ""}"`
    );
    return `${edit.replicaId}@${edit.lamportTimestamp}${pieces.join("")}`;
  }
  if (undo !== undefined) {
    const counts = undo.counts.map((one) =>
      `${one.replicaId}@${one.lamportTimestamp}:${one.count}`
    );
    return `${undo.replicaId}@${undo.lamportTimestamp} undoes ${counts.join(",")}`;
  }
  if (updateSelections !== undefined) {
    return `${updateSelections.replicaId}@${updateSelections.lamportTimestamp} selects`;
  }
  return "other";
}

function versionText(version: MessageTypes["ChannelBufferVersion"]["version"]): string {
  return version.map(({ replicaId, timestamp }) => `${replicaId}:${timestamp}`).join(",");
}

/** `1 epoch 0 {8:2}`. */
export function notesVersionText(one: MessageTypes["ChannelBufferVersion"]): string {
  return `${one.channelId} epoch ${one.epoch} {${versionText(one.version)}}`;
}

/** What a message about notes says, as parts of a line; undefined for other messages. */
export function notesDetails(
  name: MessageName,
  value: unknown,
  peer: (id: MessageTypes["Collaborator"]["peerId"]) => string,
): string[] | undefined {
  const people = (list: MessageTypes["Collaborator"][]) =>
    list.map((one) => `${peer(one.peerId)}/${one.replicaId}`).join(",");
  switch (name) {
    case "JoinChannelBufferResponse": {
      const one = value as MessageTypes["JoinChannelBufferResponse"];
      return [
        `${one.bufferId} as ${one.replicaId} epoch ${one.epoch} "${one.baseText}"`,
        ...one.operations.map(operationText),
        people(one.collaborators),
      ];
    }
    case "UpdateChannelBuffer": {
      const one = value as MessageTypes["UpdateChannelBuffer"];
      return [String(one.channelId), ...one.operations.map(operationText)];
    }
    case "UpdateChannelBufferCollaborators": {
      const one = value as MessageTypes["UpdateChannelBufferCollaborators"];
      return [String(one.channelId), people(one.collaborators)];
    }
    case "RejoinChannelBuffersResponse":
      return (value as MessageTypes["RejoinChannelBuffersResponse"]).buffers.map((one) =>
        [
          `${one.channelId} {${versionText(one.version)}}`,
          ...one.operations.map(operationText),
          people(one.collaborators),
        ].join(" ")
      );
    default:
      return undefined;
  }
}
