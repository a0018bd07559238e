/** A very large project: upload, join, memory, and how long everybody else waits meanwhile. */
import { encode, messageInfo } from "../proto/mod.ts";
import { message, payloadField } from "../rpc/frame.ts";
import type { Account } from "./accounts.ts";
import { Call, type Participant } from "./call.ts";
import { tree } from "./messages.ts";
import type { ServerProcess } from "./process.ts";
import { clientFrame, type RawSocket } from "./raw_socket.ts";
import type { Row } from "./report.ts";
import { quantile } from "./report.ts";
import { join, upload, verify } from "./upload.ts";
import { delay } from "@std/async/delay";

/** Milliseconds that anybody else may wait: a turn of 5 ms, on a machine that does other things too. */
const LONGEST_WAIT = 20;

/** Asks the server again and again, and notes how long each answer takes. */
class Bystander {
  readonly #socket: RawSocket;
  readonly #waits: number[] = [];
  #isWatching = true;
  readonly #watching: Promise<void>;

  constructor({ socket }: Participant) {
    this.#socket = socket;
    this.#watching = this.#watch();
  }

  /** Ends it. @returns milliseconds of each answer. */
  async stop(): Promise<readonly number[]> {
    this.#isWatching = false;
    await this.#watching;
    return this.#waits;
  }

  async #watch(): Promise<void> {
    const ping = clientFrame(
      message(1000, -1, -1, 0, payloadField(messageInfo("Ping").tag as number, encode("Ping", {}))),
    );
    let answered = Promise.withResolvers<void>();
    this.#socket.count(() => answered.resolve());
    while (this.#isWatching) {
      answered = Promise.withResolvers();
      const start = performance.now();
      this.#socket.sendFrames(ping);
      await answered.promise;
      this.#waits.push(performance.now() - start);
      await delay(1);
    }
  }
}

/** Uploads one large tree and lets guests join, while somebody else asks small things. */
export async function benchLargeProject(
  parley: ServerProcess,
  accounts: readonly Account[],
  entries: number,
): Promise<Row[]> {
  const call = await Call.start(parley.url, accounts.slice(0, 5));
  const [first, later, checker, other] = call.others as [
    Participant,
    Participant,
    Participant,
    Participant,
  ];
  const projectId = await call.share();
  const messages = tree(projectId, entries);
  await delay(300);
  const before = await parley.memory();
  const cpu = [await parley.cpu()];
  const uploading = new Bystander(other);
  const uploaded = await upload(call.host.socket, messages);
  const uploadWaits = await uploading.stop();
  cpu.push(await parley.cpu());
  const joining = new Bystander(other);
  const joined = await join(first.socket, projectId, messages.length + 1);
  const joinWaits = await joining.stop();
  cpu.push(await parley.cpu());
  const joinedLater = await join(later.socket, projectId, messages.length + 1);
  await verify(checker, projectId, entries);
  await delay(3000);
  const memory = await parley.memory() - before;
  call.close();
  const scale = entries / 50_000;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const used = (step: 0 | 1) =>
    `${seconds((cpu[step + 1] as number) - (cpu[step] as number))} of CPU`;
  const name = entries.toLocaleString("en");
  const wait = (waits: readonly number[]) =>
    `99.9 % of others' answers within ${quantile(waits, 0.999).toFixed(1)} ms`;
  const row = (what: string, target: string, figure: string, reached: boolean): Row => ({
    what,
    target,
    parley: figure,
    bare: "-",
    ratio: "-",
    reached,
  });
  return [
    row(
      `Upload of a project of ${name} entries`,
      `≤ ${scale} s; ${LONGEST_WAIT} ms`,
      `${seconds(uploaded)}, ${used(0)}; ${wait(uploadWaits)}`,
      uploaded <= 1000 * scale && quantile(uploadWaits, 0.999) <= LONGEST_WAIT,
    ),
    row(
      "A guest's join of it, the first",
      `≤ ${0.15 * scale} s; ${LONGEST_WAIT} ms`,
      `${seconds(joined)}, ${used(1)}, a later one ${seconds(joinedLater)}; ${wait(joinWaits)}`,
      joined <= 150 * scale && quantile(joinWaits, 0.999) <= LONGEST_WAIT,
    ),
    row(
      "Memory of it, with the chunks of a join",
      "≤ 1 KB an entry",
      `${(memory / 2 ** 20).toFixed(0)} MB, ${(memory / entries).toFixed(0)} B an entry`,
      memory <= 1024 * entries,
    ),
  ];
}
