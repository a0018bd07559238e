/** Two people at work over a network that breaks: a host, a guest, and all that they do together. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { setImmediate } from "node:timers";
import { zstdCompressSync } from "node:zlib";
import type { Buffer } from "../../client/buffer.ts";
import { CollabClient } from "../../client/collab_client.ts";
import { DiskFiles } from "../../client/disk_files.ts";
import { DiskGit } from "../../client/disk_git.ts";
import type { GuestProject } from "../../client/guest_project.ts";
import type { HostGit } from "../../client/host_git.ts";
import type { HostProject } from "../../client/host_project.ts";
import { Room } from "../../client/room.ts";
import { livenessTimes } from "../../client/raw_socket.ts";
import { createDenoTransport } from "../../client/transport_deno.ts";
import { ChannelRoleEnum, type VectorClockEntry } from "../../proto/mod.ts";
import type { ServerProcess } from "../fault/server_process.ts";
import { RandomSource } from "./random.ts";
import { TcpRelay } from "./tcp_relay.ts";
import { waitUntil } from "./wait_until.ts";

/** Files of the shared project, beside the ones that people edit. */
export const FILES = 600;
/** Bytes of the large file, and of the piece that the guest replaces in it. */
const LARGE = 1_500_000;
const PIECE = 300_000;
/** Edits that each side makes while the other one does. */
const EDITS = 60;
const [NOTES, BIG] = ["notes.md", "big.txt"];
const WORDS = ["ba", "do\n", "ké", "漢字", " ", "lorem ipsum", "x", "\n\n", "fn()", "👋"];
const EMPTY = new Uint8Array();

/** A user at a computer of his own, behind a network of his own. */
export class Person implements AsyncDisposable {
  readonly client: CollabClient;
  readonly relay: TcpRelay;
  #room: Room | undefined;

  private constructor(client: CollabClient, relay: TcpRelay) {
    this.client = client;
    this.relay = relay;
    client.onRequest("IncomingCall", () => ({}));
    client.onMessage("CallCanceled", () => {});
    client.onMessage("AddNotification", () => {});
  }

  /** @param scale what the server's times are multiplied by. */
  static async arrive(server: ServerProcess, login: string, scale: number): Promise<Person> {
    const relay = new TcpRelay(addressOf(server));
    const { id, token } = server.users.get(login)!;
    const { keepalive, receive, write } = livenessTimes;
    const times = { keepalive: keepalive * scale, receive: receive * scale, write: write * scale };
    const client = await CollabClient.connect({
      serverUrl: relay.url,
      transport: createDenoTransport({ times }),
      credentials: { userId: id, token },
      compress: (plain: Uint8Array) => zstdCompressSync(plain),
    });
    return new Person(client, relay);
  }

  get room(): Room {
    assert(this.#room !== undefined, "not in a room");
    return this.#room;
  }

  set room(room: Room) {
    this.#room = room;
  }

  /** Resolves when the client is connected again and has taken back what it could. */
  async comeBack(): Promise<void> {
    const { connection } = this.client;
    // Not to wait for the client's next attempt, which is far off after many.
    await waitUntil(() => connection.connect().then(() => true), {
      describe: "the server",
    });
    await connection.rejoining.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.relay[Symbol.asyncDispose]();
  }
}

/** Where a server's process listens. */
export function addressOf(server: ServerProcess): { hostname: string; port: number } {
  const { hostname, port } = new URL(server.url);
  return { hostname, port: Number(port) };
}

/** Host and guest, in the order of the pairs below. */
type Pair<T> = readonly [T, T];

/** An evening: a folder, two people, and what they have open. */
export class Evening implements AsyncDisposable {
  readonly host: Person;
  readonly guest: Person;
  readonly #folder: string;
  readonly #random: RandomSource;
  #shared: HostProject | undefined;
  #joined: GuestProject | undefined;
  #git: HostGit | undefined;
  #notes: Pair<Buffer> | undefined;
  #big: Pair<Buffer> | undefined;
  #rounds = 0;

  private constructor(host: Person, guest: Person, folder: string, random: RandomSource) {
    this.host = host;
    this.guest = guest;
    this.#folder = folder;
    this.#random = random;
  }

  /** Both come, and the host has a folder of {@link FILES} files and more under version control. */
  static async begin(
    server: ServerProcess,
    { scale, random }: { readonly scale: number; readonly random: RandomSource },
  ): Promise<Evening> {
    const folder = await Deno.makeTempDir({ prefix: "parley-evening-" });
    for (let index = 0; index < FILES; index++) {
      const directory = `${folder}/src/part${index % 12}`;
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeTextFile(
        `${directory}/file${index}.ts`,
        `export const needle${index} = 1;\n`,
      );
    }
    await Deno.writeTextFile(`${folder}/${NOTES}`, "# Notes\n\nWe begin.\n");
    await Deno.writeTextFile(`${folder}/${BIG}`, "0123456789abcd\n".repeat(LARGE / 15));
    await git(folder, "init", "--quiet", "--initial-branch=main");
    await git(folder, "add", "--all");
    await git(folder, "commit", "--quiet", "--message=begin");
    const host = await Person.arrive(server, "host", scale);
    const guest = await Person.arrive(server, "guest", scale);
    return new Evening(host, guest, folder, random);
  }

  get shared(): HostProject {
    return this.#shared!;
  }

  get joined(): GuestProject {
    return this.#joined!;
  }

  /** The host finds the guest by name, and both become contacts. */
  async meet(): Promise<void> {
    const { host, guest } = this;
    const { users } = await host.client.request("FuzzySearchUsers", { query: "gue" });
    assertEquals(users.map(({ id, githubLogin }) => [id, githubLogin]), [
      [guest.client.userId, "guest"],
    ]);
    await host.client.requestContact(guest.client.userId);
    await guest.client.acceptContact(host.client.userId);
    await waitUntil(() => host.client.contacts.all.size === 1, { describe: "the contact" });
  }

  /** A call with a shared project. */
  async call(): Promise<void> {
    const { host } = this;
    host.room = await Room.create(host.client);
    this.#shared = await host.room.share({ folders: [new DiskFiles(this.#folder)] });
    this.#git = await this.shared.addRepository(new DiskGit(this.#folder));
    await this.shared.flushed();
    await this.callGuest();
  }

  /** The guest is called, comes, and opens the files. */
  async callGuest(): Promise<void> {
    const { host, guest } = this;
    await host.room.call(guest.client.userId, this.shared.id);
    guest.room = await Room.join(guest.client, host.room.id);
    this.#joined = await guest.room.joinProject(this.shared.id);
    await this.joined.tree.complete();
    this.#notes = await this.#open(NOTES as string);
    this.#big = await this.#open(BIG as string);
    await this.#checkEqual();
  }

  /** All that two people do: everything works, and both end with the same. */
  async work(): Promise<void> {
    const round = ++this.#rounds;
    await this.#replacePiece();
    await this.#typeBoth(EDITS);
    await this.#undoAndRedo();
    await this.#save();
    await this.#changeTree(round);
    await this.#search(round);
    await this.#useGit(round);
    await this.#follow();
    await this.#changeRole();
    await this.#checkEqual();
  }

  /**
   * Both go on to type while `breakNetwork` does its work and until `recover` is done with its own;
   * then both have the same.
   */
  async typeThrough(
    breakNetwork: () => Promise<void>,
    recover: () => Promise<void>,
  ): Promise<void> {
    const before = this.#typeBoth(EDITS / 2);
    await breakNetwork();
    await before;
    await this.#typeBoth(EDITS / 2);
    await recover();
    await this.#checkEqual();
  }

  /** What either side types alone, which the other one never gets. */
  typeInVain(): void {
    for (const buffer of this.#notes!) this.#type(buffer);
  }

  /** The guest sees the project end; both hang up. */
  async end(): Promise<void> {
    this.shared.unshare();
    assertEquals(await this.joined.closed, "the host has ended it");
    await this.guest.room.leave();
    await this.host.room.until(({ participants }) => participants.length === 1);
    await this.host.room.leave();
    await waitUntil(() => [...this.host.client.contacts.all.values()].every(({ busy }) => !busy), {
      describe: "the guest to be free",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await this.guest[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #open(path: string): Promise<Pair<Buffer>> {
    return [await this.shared.openBuffer(path), await this.joined.openBuffer(path)];
  }

  #type(buffer: Buffer): void {
    const length = buffer.text.length;
    const at = boundary(buffer.text, this.#random.int(length + 1));
    const end = boundary(buffer.text, Math.min(length, at + this.#random.int(4)));
    const word = WORDS[this.#random.int(WORDS.length)] as string;
    buffer.edit([{ start: at, end: Math.max(at, end), text: word }]);
  }

  /** Both at once, at places of their own, each edit a message of its own. */
  async #typeBoth(edits: number): Promise<void> {
    await Promise.all(this.#notes!.map(async (buffer) => {
      for (let index = 0; index < edits; index++) {
        this.#type(buffer);
        // The other one has his turn, and the network too.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }));
  }

  async #replacePiece(): Promise<void> {
    const [, buffer] = this.#big!;
    const letter = String.fromCharCode(0x61 + this.#rounds % 26);
    const start = this.#random.int(LARGE - PIECE);
    buffer.edit([{ start, end: start + PIECE, text: letter.repeat(PIECE) }]);
    await this.#checkEqual();
    assertEquals(buffer.text.slice(start, start + PIECE), letter.repeat(PIECE));
  }

  async #undoAndRedo(): Promise<void> {
    await this.#checkEqual();
    for (const buffer of this.#notes!) {
      const { text } = buffer;
      buffer.edit([{ start: 0, end: 0, text: "taken back" }]);
      await this.#checkEqual();
      buffer.undo();
      await this.#checkEqual();
      assertEquals(buffer.text, text);
      buffer.redo();
      await this.#checkEqual();
      assertEquals(buffer.text, `taken back${text}`);
    }
  }

  async #save(): Promise<void> {
    const [hostBuffer, guestBuffer] = this.#notes!;
    await this.joined.save(guestBuffer);
    assertEquals(await Deno.readTextFile(`${this.#folder}/${NOTES}`), guestBuffer.text);
    await waitUntil(() => !hostBuffer.isDirty && !guestBuffer.isDirty, { describe: "both saved" });
  }

  async #changeTree(round: number): Promise<void> {
    const { joined, shared } = this;
    const content = new TextEncoder().encode("made by a guest");
    const made = await joined.createEntry(1n, `new/round${round}/made.txt`, content);
    const moved = await joined.renameEntry(made.id, `new/round${round}/moved.txt`);
    assertEquals(moved.id, made.id);
    const doomed = await joined.createEntry(1n, `new/round${round}/doomed.txt`, EMPTY);
    await joined.deleteEntry(doomed.id);
    const paths = (entries: Iterable<{ readonly path: string }>) =>
      [...entries].map(({ path }) => path).filter((path) => path.startsWith("new")).sort();
    const tree = joined.tree.worktrees.get(1n)!;
    assertEquals(paths(tree.entries), paths(shared.worktree(1n).entries));
    assertEquals(tree.size, shared.worktree(1n).size);
    assert(tree.size > FILES);
  }

  async #search(round: number): Promise<void> {
    const found: string[] = [];
    const wanted = this.#random.int(FILES);
    for await (const buffer of this.joined.search({ query: `needle${wanted} `, regex: false })) {
      found.push(buffer.file?.path ?? "");
    }
    assertEquals(found, [`src/part${wanted % 12}/file${wanted}.ts`], `round ${round}`);
  }

  async #useGit(round: number): Promise<void> {
    const { joined } = this;
    const repository = this.#git!;
    const [, guestBuffer] = this.#notes!;
    const { committed } = await joined.git.open(guestBuffer);
    assertEquals(committed, "# Notes\n\nWe begin.\n");
    await git(this.#folder, "add", NOTES as string);
    await repository.refresh();
    await joined.git.until(guestBuffer, ({ staged }) => staged === guestBuffer.text);
    const known = () => joined.facts.repositories.get(repository.id);
    await waitUntil(() => known()?.statuses.get(NOTES as string)?.status?.tracked, {
      describe: "the status of a saved file",
    });
    await joined.git.createBranch(repository.id, `round-${round}`);
    await waitUntil(() => known()?.state.branchSummary?.refName === `refs/heads/round-${round}`, {
      describe: "the new branch",
    });
    await joined.git.changeBranch(repository.id, "main");
    const branches = await joined.git.branches(repository.id);
    assertEquals(branches.filter(({ isHead }) => isHead).map(({ refName }) => refName), [
      "refs/heads/main",
    ]);
    assertEquals(branches.length, round + 1);
  }

  /** Each follows the other one: cursors, and what is on the screen. */
  async #follow(): Promise<void> {
    const { host, guest, shared, joined } = this;
    const projectId = shared.id;
    const [ofHost, ofGuest] = this.#notes!;
    const big = { projectId, bufferId: this.#big![0].id };
    const notes = { projectId, bufferId: ofHost.id };
    host.room.following.show(big);
    const leader = host.client.peerId;
    assertEquals(await guest.room.following.follow(leader, projectId), big);
    host.room.following.show(notes);
    await guest.room.following.until(leader, notes);
    guest.room.following.show(big);
    assertEquals(await host.room.following.follow(guest.client.peerId, projectId), big);
    await guest.room.until(({ followers }) => followers.length === 2);

    const cursor = { start: 2, end: 2, reversed: false };
    const selection = { start: 0, end: ofGuest.text.length, reversed: true };
    ofHost.select([cursor]);
    ofGuest.select([selection]);
    const see = (buffer: Buffer, replicaId: number) =>
      JSON.stringify(buffer.selectionsOf(replicaId));
    await waitUntil(() => see(ofGuest, 0) === JSON.stringify([cursor]), { describe: "a cursor" });
    await waitUntil(() => see(ofHost, joined.replicaId) === JSON.stringify([selection]), {
      describe: "a selection",
    });
    host.room.following.unfollow(guest.client.peerId);
    guest.room.following.unfollow(leader);
    await guest.room.until(({ followers }) => followers.length === 0);
  }

  async #changeRole(): Promise<void> {
    const { host, guest } = this;
    const [hostBuffer, guestBuffer] = this.#notes!;
    await host.room.setRole(guest.client.userId, ChannelRoleEnum.Guest);
    await guest.room.until(() => guest.room.role === ChannelRoleEnum.Guest);
    assertThrows(() => this.#type(guestBuffer), Error, "you may only read it");
    this.#type(hostBuffer);
    await guestBuffer.until(hostBuffer.version);
    await host.room.setRole(guest.client.userId, ChannelRoleEnum.Member);
    await guest.room.until(() => guest.room.role === ChannelRoleEnum.Member);
    this.#type(guestBuffer);
    await hostBuffer.until(guestBuffer.version);
  }

  /** All that is open is the same on both sides: versions and texts. */
  async #checkEqual(): Promise<void> {
    for (const [hostBuffer, guestBuffer] of [this.#notes!, this.#big!]) {
      await waitUntil(() => {
        const [host, guest] = [hostBuffer, guestBuffer].map(({ version }) => sorted(version));
        return JSON.stringify(host) === JSON.stringify(guest);
      }, {
        describe: () =>
          `${hostBuffer.file?.path} to be the same: ` +
          JSON.stringify(
            [hostBuffer, guestBuffer].map((
              { version, waitingCount },
            ) => [sorted(version), waitingCount]),
          ) + `; the guest does not send: ${this.joined.buffers.syncError}`,
      });
      assert(hostBuffer.text === guestBuffer.text, `${hostBuffer.file?.path} differs`);
    }
  }
}

function sorted(version: readonly VectorClockEntry[]): (readonly [number, number])[] {
  return version.map(({ replicaId, timestamp }) => [replicaId, timestamp] as const)
    .sort(([a], [b]) => a - b);
}

/** The index, or the one before it where it would split a surrogate pair. */
function boundary(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit < 0xe000 ? index - 1 : index;
}

async function git(folder: string, ...args: string[]): Promise<void> {
  const who = ["-c", "user.name=host", "-c", "user.email=host@localhost"];
  const { success, stderr } = await new Deno.Command("git", {
    args: [...who, ...args],
    cwd: folder,
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(`Failed: git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}
