/** Whether somebody still answers on connections that seem to live. */
import type { PeerKey } from "../../rpc/peer_id.ts";
import { fieldOf } from "../turn.ts";
import type { NotesContext } from "./context.ts";

/** Milliseconds for which an answer is waited for. */
const PATIENCE = 2_000;

const PING = fieldOf("Ping", {});

/**
 * Asks all at once. Clients answer whatever they are asked, if only that they cannot. [rooms 2.6]
 *
 * @param told hears on which of them nobody has answered in time, or which ended
 */
export function findSilent(
  { system, turn }: NotesContext,
  keys: readonly PeerKey[],
  told: (silent: ReadonlySet<PeerKey>) => void,
): void {
  const silent = new Set(keys);
  /** What is not to be waited for any more. */
  const asked: (() => void)[] = [];
  let open = keys.length;
  const end = () => {
    system.clock.clearTimeout(timer);
    open = 0;
    for (const forget of asked) forget();
    told(silent);
  };
  const timer = system.clock.setTimeout(end, PATIENCE);
  const heard = (key: PeerKey, answered: boolean) => {
    if (open === 0) return;
    if (answered) silent.delete(key);
    if (--open === 0) end();
  };
  for (const key of keys) {
    turn.push(key, PING, {
      written: (outbox, id) => asked.push(() => outbox.forget(id)),
      answered: () => {
        heard(key, true);
        return true;
      },
      lost: () => heard(key, false),
    });
  }
}
