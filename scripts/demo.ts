// deno-lint-ignore-file no-console
/**
 * Two clients share a real folder through a real server, and show what happens, step by step. The
 * only file that is changed is one that the demo makes itself, and deletes at the end. The exit code
 * is 1 if host, guest and disk do not end up equal.
 */
import type { Buffer } from "../client/buffer.ts";
import type { CollabClient } from "../client/collab_client.ts";
import { DiskFiles } from "../client/disk_files.ts";
import { chainText } from "../client/errors.ts";
import type { GuestProject } from "../client/guest_project.ts";
import type { HostProject } from "../client/host_project.ts";
import { Room } from "../client/room.ts";
import { startServer } from "../tests/support/server.ts";
import { TcpRelay } from "../tests/support/tcp_relay.ts";
import { taskArguments } from "./task_arguments.ts";

const USAGE = `deno task demo               shares this repository
deno task demo <folder>      shares that folder
deno task demo --files N     shares a temporary folder with N files`;

/** Edits that each side makes at the same time. */
const EDITS = 100;

/** Prints a line about a step. */
export type Print = (text: string) => void;

/** What a demo has shown. */
export interface DemoResult {
  readonly entries: number;
  /** The text that host, guest and disk ended with. */
  readonly text: string;
}

/** Something is not as it has to be. */
class MismatchError extends Error {
  override readonly name = "MismatchError";
}

/**
 * Runs the demo on a folder.
 *
 * @throws {Error} something is not as it has to be.
 */
export async function runDemo(folder: string, print: Print): Promise<DemoResult> {
  const scratch = `parley-demo-${crypto.randomUUID().slice(0, 8)}.txt`;
  try {
    return await new Demo(folder, scratch, print).run();
  } finally {
    await Deno.remove(`${folder}/${scratch}`).catch(() => {});
  }
}

class Demo {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #print: Print;
  #step = 0;

  constructor(folder: string, scratch: string, print: Print) {
    this.#folder = folder;
    this.#scratch = scratch;
    this.#print = print;
  }

  async run(): Promise<DemoResult> {
    await using server = await this.#timed("The server starts", () => startServer());
    const { hostname, port } = new URL(server.url);
    await using hostNetwork = new TcpRelay({ hostname, port: Number(port) });
    await using guestNetwork = new TcpRelay({ hostname, port: Number(port) });
    const [host, guest] = await this.#timed(
      "Alice and Bob sign in and become contacts",
      async () => {
        const host = await server.client("alice", { serverUrl: hostNetwork.url });
        const guest = await server.client("bob", { serverUrl: guestNetwork.url });
        await server.befriend(host, guest);
        return [host, guest];
      },
    );
    const hostRoom = await Room.create(host);
    const shared = await this.#timed(
      `Alice shares ${this.#folder}`,
      () => hostRoom.share({ folders: [new DiskFiles(this.#folder)] }),
      (project) => `project ${project.id}, ${entryCount(project)} entries read`,
    );
    const upload = this.#timed("The server has the whole tree", () => shared.flushed());
    const guestRoom = await this.#timed("Alice calls Bob, who answers", async () => {
      const ringing = nextCall(guest);
      await hostRoom.call(guest.userId, shared.id);
      return await Room.join(guest, await ringing);
    });
    await upload;
    const joined = await this.#timed("Bob joins and has the whole tree", async () => {
      const project = await guestRoom.joinProject(shared.id);
      await project.tree.complete();
      return project;
    }, (project) => describeTree(project));
    this.#compareTrees(shared, joined);
    await this.#openSomeFile(joined);
    const [hostBuffer, guestBuffer] = await this.#makeScratch(shared, joined);
    await this.#timed(`Both make ${EDITS} edits at once`, async () => {
      await Promise.all([edit(hostBuffer, "alice"), edit(guestBuffer, "bob")]);
      await converge(shared, joined, hostBuffer, guestBuffer);
    }, () => `${guestBuffer.text.length} characters`);
    await this.#timed("Bob saves", () => joined.save(guestBuffer));
    await this.#compareTexts(hostBuffer, guestBuffer);
    await this.#timed("Bob's network breaks; both go on editing", async () => {
      guestNetwork.cut();
      await guest.peer.closed;
      await Promise.all([edit(hostBuffer, "alice, alone"), edit(guestBuffer, "bob, offline")]);
      await shared.worktree(1n).refresh(this.#scratch);
    });
    await this.#timed("Bob is back", async () => {
      await guest.reconnect();
      await converge(shared, joined, hostBuffer, guestBuffer);
    }, () => `still replica ${joined.replicaId}`);
    await this.#timed("Alice's network breaks; both go on editing", async () => {
      hostNetwork.cut();
      await host.peer.closed;
      await Promise.all([edit(hostBuffer, "alice, offline"), edit(guestBuffer, "bob, alone")]);
    });
    await this.#timed("Alice is back", async () => {
      await host.reconnect();
      await converge(shared, joined, hostBuffer, guestBuffer);
    });
    await this.#timed("Bob saves again", () => joined.save(guestBuffer));
    await this.#compareTexts(hostBuffer, guestBuffer);
    await shared.flushed();
    await joined.tree.until(1n, shared.worktree(1n).scanId);
    this.#compareTrees(shared, joined);
    await this.#timed(`Bob deletes ${this.#scratch}`, () => this.#deleteScratch(joined));
    await this.#timed("Both leave", async () => {
      await guestRoom.leave();
      await hostRoom.leave();
    });
    this.#print("Host, guest and disk are equal.");
    return { entries: entryCount(shared), text: guestBuffer.text };
  }

  async #openSomeFile(joined: GuestProject): Promise<void> {
    const entries = [...joined.tree.worktrees.get(1n)?.entries ?? []];
    const files = entries
      .filter(({ isDir, isIgnored, size = 0n }) => !isDir && !isIgnored && size < 100_000n)
      .map(({ path }) => path);
    const path = files.find((name) => /^README\./i.test(name)) ??
      files.find((name) => /\.(txt|md|ts|js|json)$/.test(name)) ?? files[0];
    if (path === undefined) return this.#print("There is no file to open");
    const buffer = await this.#timed(
      `Bob opens ${path}`,
      () => joined.openBuffer(path),
      ({ text }) => `${text.split("\n").length} lines`,
    );
    check(
      buffer.fileText === await Deno.readTextFile(`${this.#folder}/${path}`),
      "the opened text",
    );
  }

  async #makeScratch(shared: HostProject, joined: GuestProject): Promise<[Buffer, Buffer]> {
    const name = this.#scratch;
    const content = new TextEncoder().encode("A line of Bob's.\nA line for Alice: ä, 🦜.\n");
    await this.#timed(
      `Bob makes ${name}`,
      () => joined.createEntry(1n, name, content),
      ({ id }) => `entry ${id}`,
    );
    check(joined.tree.find(name) !== undefined, "the new file in Bob's tree");
    return await this.#timed("Both open it", async () => {
      const guestBuffer = await joined.openBuffer(name);
      const hostBuffer = await shared.openBuffer(name);
      check(guestBuffer.text === new TextDecoder().decode(content), "the new file's text");
      return [hostBuffer, guestBuffer];
    });
  }

  async #deleteScratch(joined: GuestProject): Promise<void> {
    const found = joined.tree.find(this.#scratch);
    if (found === undefined) throw new MismatchError(`Bob does not see ${this.#scratch}`);
    await joined.deleteEntry(found.entry.id);
    check(joined.tree.find(this.#scratch) === undefined, "the deleted file in Bob's tree");
    const rest = await Deno.stat(`${this.#folder}/${this.#scratch}`).catch(() => undefined);
    check(rest === undefined, "the deleted file on the disk");
  }

  #compareTrees(shared: HostProject, joined: GuestProject): void {
    for (const [id, worktree] of shared.worktrees) {
      const copy = joined.tree.worktrees.get(id);
      check(copy?.size === worktree.size, "the number of entries");
      for (const entry of worktree.entries) {
        const other = copy?.entryAt(entry.path);
        const isEqual = other?.id === entry.id && other.isDir === entry.isDir &&
          other.isIgnored === entry.isIgnored && other.mtime?.seconds === entry.mtime?.seconds;
        check(isEqual, `the entry ${entry.path}`);
      }
    }
  }

  async #compareTexts(hostBuffer: Buffer, guestBuffer: Buffer): Promise<void> {
    check(hostBuffer.text === guestBuffer.text, "the texts of Alice and Bob");
    const disk = await Deno.readTextFile(`${this.#folder}/${this.#scratch}`);
    check(disk === guestBuffer.text, "the texts of Bob and the disk");
    check(!guestBuffer.isDirty && !hostBuffer.isDirty, "the saved version");
  }

  async #timed<T>(
    text: string,
    body: () => Promise<T>,
    detail: (result: T) => string = () => "",
  ): Promise<T> {
    const start = performance.now();
    const result = await body();
    const ms = (performance.now() - start).toFixed(1).padStart(8);
    const more = detail(result);
    this.#print(`${String(++this.#step).padStart(2)}. ${ms} ms  ${text}${more && `: ${more}`}`);
    return result;
  }
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new MismatchError(`Not as it has to be: ${what}`);
}

function entryCount(project: HostProject): number {
  let count = 0;
  for (const { size } of project.worktrees.values()) count += size;
  return count;
}

function describeTree(project: GuestProject): string {
  const lines: string[] = [];
  for (const worktree of project.tree.worktrees.values()) {
    const top = [...worktree.entries].filter(({ path }) => path !== "" && !path.includes("/"))
      .map(({ path, isDir, isIgnored }) =>
        `${path}${isDir ? "/" : ""}${isIgnored ? " (ignored)" : ""}`
      )
      .sort();
    const shown = top.slice(0, 12).join("  ") + (top.length > 12 ? "  …" : "");
    lines.push(`${worktree.size} entries\n                  ${shown}`);
  }
  return lines.join("\n");
}

/** The room of the next call that rings. */
function nextCall(client: CollabClient): Promise<bigint> {
  return new Promise((resolve) => {
    const stop = client.onRequest("IncomingCall", ({ roomId }) => {
      stop();
      resolve(roomId);
      return {};
    });
    client.onMessage("CallCanceled", () => {});
  });
}

/** Makes many small edits at many places, giving others time between them. */
async function edit(buffer: Buffer, name: string): Promise<void> {
  for (let index = 0; index < EDITS; index++) {
    const { text } = buffer;
    let at = Math.floor(Math.random() * (text.length + 1));
    // Not into the middle of a character that takes two units.
    if (at > 0 && /[\ud800-\udbff]/.test(text[at - 1] as string)) at--;
    const isReplacement = index % 3 === 2 && /^[a-z ]$/.test(text[at] ?? "");
    buffer.edit([{ start: at, end: at + (isReplacement ? 1 : 0), text: `${name} ${index}\n` }]);
    if (index % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (buffer.text.length > 0) buffer.undo();
}

/** Waits until both have what the other has. */
async function converge(
  shared: HostProject,
  joined: GuestProject,
  hostBuffer: Buffer,
  guestBuffer: Buffer,
): Promise<void> {
  await guestBuffer.until(hostBuffer.version);
  await hostBuffer.until(guestBuffer.version);
  await Promise.all([joined.buffers.idle(), shared.buffers.idle()]);
  check(hostBuffer.text === guestBuffer.text, "the texts of Alice and Bob");
}

/** A temporary folder with that many files, 200 in each of its folders. */
export async function makeFiles(count: number): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "parley-demo-" });
  for (let at = 0; at < count; at += 200) {
    const inner = `${folder}/folder ${at / 200}`;
    await Deno.mkdir(inner);
    const files = Array.from({ length: Math.min(200, count - at) }, (_, index) => at + index);
    await Promise.all(
      files.map((number) =>
        Deno.writeTextFile(`${inner}/file ${number}.txt`, `This is file ${number}.\n`)
      ),
    );
  }
  return folder;
}

async function main(): Promise<number> {
  const args = taskArguments(USAGE, { values: ["files"], words: 1 });
  const [place] = args.words;
  const files = args.number("files", 9_999_999);
  const repository = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  const folder = files !== undefined
    ? await makeFiles(files)
    : await Deno.realPath(place ?? repository);
  try {
    await runDemo(folder, (text) => console.log(text));
    return 0;
  } catch (error) {
    console.error(`The demo failed: ${chainText(error)}`);
    return 1;
  } finally {
    if (files !== undefined) await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());
