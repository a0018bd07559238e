import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CollabClient } from "../../client/collab_client.ts";
import { DiskFiles } from "../../client/disk_files.ts";
import { RequestError } from "../../client/errors.ts";
import type { GuestProject } from "../../client/guest_project.ts";
import type { HostProject } from "../../client/host_project.ts";
import { Room } from "../../client/room.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { FlakyNetwork } from "../support/flaky_network.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

/** A host who shares a folder, and guests who have joined it. */
interface Meeting {
  readonly server: TestServer;
  readonly folder: string;
  readonly host: {
    readonly client: CollabClient;
    readonly room: Room;
    readonly network: FlakyNetwork;
  };
  readonly shared: HostProject;
  readonly guests: readonly Guest[];
}

interface Guest {
  readonly client: CollabClient;
  readonly room: Room;
  readonly project: GuestProject;
}

const FILES: Readonly<Record<string, string>> = {
  "a.txt": "alpha\nbeta\n",
  "windows.txt": "one\r\ntwo\r\n",
  "src/main.ts": "const needle = 1;\n",
  "src/deep/other.ts": "// Needle in a haystack\n",
  "binary.dat": "\0needle",
};

async function meet(guestCount: number, body: (meeting: Meeting) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(FILES)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await Deno.writeFile(`${folder}/latin.txt`, new Uint8Array([0xff, 0xfe, 0x00]));
    await using server = await startServer();
    const network = new FlakyNetwork(denoTransport);
    const client = await server.client("host", { transport: network });
    const room = await Room.create(client);
    const shared = await room.share({ folders: [new DiskFiles(folder)] });
    await shared.flushed();
    const meeting = { server, folder, host: { client, room, network }, shared };
    const guests: Guest[] = [];
    for (let number = 1; number <= guestCount; number++) {
      guests.push(await bringIn(meeting, `guest${number}`));
    }
    await body({ ...meeting, guests });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bringIn(
  { server, host, shared }: Omit<Meeting, "guests">,
  login: string,
): Promise<Guest> {
  const client = await server.client(login, { likeZed: true });
  await server.befriend(host.client, client);
  client.onRequest("IncomingCall", () => ({}));
  client.onMessage("CallCanceled", () => {});
  await host.room.call(client.userId, shared.id);
  const room = await Room.join(client, host.room.id);
  const project = await room.joinProject(shared.id);
  await project.tree.complete();
  return { client, room, project };
}

function paths(tree: Iterable<{ readonly path: string }>): string[] {
  return [...tree].map(({ path }) => path).sort();
}

Deno.test("[projects 6.3] a guest has the host's tree, the role and the replica of the rules", async () => {
  await meet(2, async ({ shared, guests: [one, two] }) => {
    assertEquals([one!.project.replicaId, two!.project.replicaId], [8, 9]);
    const tree = one!.project.tree.worktrees.get(1n)!;
    assertEquals(paths(tree.entries), paths(shared.worktree(1n).entries));
    assertEquals(tree.entryAt("src")?.isDir, true);
    await waitUntil(() => shared.collaborators.all.length === 2, { describe: "both at the host" });
    await waitUntil(() => one!.project.collaborators.all.length === 2, { describe: "both at one" });
    assertEquals(one!.project.collaborators.host?.replicaId, 0);
    two!.project.leave();
    await waitUntil(() => shared.collaborators.all.length === 1, { describe: "one at the host" });
  });
});

Deno.test("[projects 9.1] buffers open by path; what is no text is refused with a reason", async () => {
  await meet(1, async ({ folder, guests: [guest] }) => {
    const { project } = guest!;
    const buffer = await project.openBuffer("windows.txt");
    assertEquals(buffer.text, "one\ntwo\n");
    assertEquals(await project.openBuffer("windows.txt"), buffer);
    buffer.edit([{ start: 0, end: 3, text: "1" }]);
    await project.save(buffer);
    assertEquals(await Deno.readTextFile(`${folder}/windows.txt`), "1\r\ntwo\r\n");
    assertEquals(buffer.isDirty, false);
    const refused = await assertRejects(() => project.openBuffer("latin.txt"), RequestError);
    assert(refused.reason.startsWith('Cannot open "latin.txt": it is no UTF-8 text'));
    const absent = await assertRejects(() => project.openBuffer("src", 1n), RequestError);
    assertEquals(absent.reason, 'Cannot open "src": there is no such file');
    await assertRejects(() => project.openBuffer("../secret", 1n), RequestError);
  });
});

Deno.test("[projects 9.2] a buffer of many operations comes in chunks, and later ones follow", async () => {
  await meet(1, async ({ shared, guests: [guest] }) => {
    const hostBuffer = await shared.openBuffer("a.txt");
    for (let index = 0; index < 250; index++) {
      hostBuffer.edit([{ start: index, end: index, text: "x" }]);
    }
    const buffer = await guest!.project.openBuffer("a.txt");
    assertEquals(buffer.text, hostBuffer.text);
    hostBuffer.undo();
    await buffer.until(hostBuffer.version);
    assertEquals(buffer.text, `${"x".repeat(249)}${FILES["a.txt"]}`);
  });
});

Deno.test("[projects 9.3] a guest keeps what is edited before he opens the file", async () => {
  await meet(2, async ({ shared, guests: [one, two] }) => {
    const first = await one!.project.openBuffer("a.txt");
    first.edit([{ start: 0, end: 0, text: "early " }]);
    await one!.project.buffers.idle();
    first.edit([{ start: 0, end: 0, text: "and late " }]);
    const second = await two!.project.openBuffer("a.txt");
    await second.until(first.version);
    second.edit([{ start: 0, end: 5, text: "" }]);
    const hostBuffer = await shared.openBuffer("a.txt");
    await hostBuffer.until(second.version);
    await first.until(second.version);
    assertEquals(first.text, second.text);
    assertEquals(hostBuffer.text, second.text);
  });
});

Deno.test("[projects 7.1] entries made, moved and deleted by a guest are in his tree when he goes on", async () => {
  await meet(2, async ({ folder, shared, guests: [one, two] }) => {
    const { project } = one!;
    const made = await project.createEntry(1n, "new/deep/file.txt", new TextEncoder().encode("hi"));
    assertEquals(paths(project.tree.worktrees.get(1n)!.entries).filter((p) => /^new/.test(p)), [
      "new",
      "new/deep",
      "new/deep/file.txt",
    ]);
    const buffer = await project.openBuffer("new/deep/file.txt");
    const folderEntry = project.tree.find("new")!.entry;
    const moved = await project.renameEntry(folderEntry.id, "moved");
    assertEquals([moved.id, moved.path], [folderEntry.id, "moved"]);
    assertEquals(project.tree.find("moved/deep/file.txt")?.entry.id, made.id);
    assertEquals(project.tree.find("new/deep/file.txt"), undefined);
    await waitUntil(() => buffer.file?.path === "moved/deep/file.txt", { describe: "its file" });
    buffer.edit([{ start: 2, end: 2, text: "!" }]);
    await project.save(buffer);
    assertEquals(await Deno.readTextFile(`${folder}/moved/deep/file.txt`), "hi!");
    const exists = await assertRejects(() => project.createEntry(1n, "a.txt"), RequestError);
    assertEquals(exists.reason, 'Cannot create "a.txt": it exists');
    for (const path of ["../x", "a/../../x", "/etc/x", "", ".git/hooks/post-commit"]) {
      await assertRejects(() => project.createEntry(1n, path), RequestError);
    }
    await project.deleteEntry(folderEntry.id);
    assertEquals(
      paths(project.tree.worktrees.get(1n)!.entries),
      paths(shared.worktree(1n).entries),
    );
    await waitUntil(() => buffer.file?.isDeleted, { describe: "the news that it is deleted" });
    await two!.project.tree.until(1n, shared.worktree(1n).scanId);
    assertEquals(two!.project.tree.find("moved"), undefined);
  });
});

Deno.test("[projects 9.4] a file that changed on the disk is reloaded everywhere", async () => {
  await meet(1, async ({ folder, shared, guests: [guest] }) => {
    const buffer = await guest!.project.openBuffer("a.txt");
    const hostBuffer = await shared.openBuffer("a.txt");
    await Deno.writeTextFile(`${folder}/a.txt`, "alpha\r\nBETA\r\n");
    await shared.buffers.reload(hostBuffer);
    await waitUntil(() => buffer.fileText === "alpha\r\nBETA\r\n", { describe: "the new text" });
    await waitUntil(() => !buffer.isDirty, { describe: "the saved version" });
  });
});

Deno.test("[projects 9.6] a search brings the buffers that match, in chunks, until all are told", async () => {
  await meet(1, async ({ shared, guests: [guest] }) => {
    const search = async (query: Parameters<GuestProject["search"]>[0], limit?: number) => {
      const found: string[] = [];
      for await (const buffer of guest!.project.search(query, limit)) {
        found.push(buffer.file?.path ?? "");
      }
      return found.sort();
    };
    assertEquals(await search({ query: "needle", caseSensitive: true }), [
      "binary.dat",
      "src/main.ts",
    ]);
    assertEquals(await search({ query: "needle", filesToInclude: ["*.ts"] }), [
      "src/deep/other.ts",
      "src/main.ts",
    ]);
    assertEquals(await search({ query: "n\\w+e", regex: true, filesToExclude: ["src/deep"] }), [
      "binary.dat",
      "src/main.ts",
    ]);
    assertEquals(await search({ query: "eedl", wholeWord: true }), []);
    assertEquals((await search({ query: "needle" }, 1)).length, 1);
    const hostBuffer = await shared.openBuffer("a.txt");
    hostBuffer.edit([{ start: 0, end: 0, text: "not yet saved needle" }]);
    assert((await search({ query: "saved needle" })).includes("a.txt"));
    const wrong = await assertRejects(() => search({ query: "(", regex: true }), RequestError);
    assert(wrong.reason.includes("Invalid regular expression"), wrong.reason);
    for await (const _ of guest!.project.search({ query: "needle" })) break;
  });
});

Deno.test("[projects 5.3] the end of a project reaches its guests and whoever waits there", async () => {
  await meet(1, async ({ host, shared, guests: [guest] }) => {
    const { project } = guest!;
    const waiting = project.tree.until(1n, 99n);
    shared.unshare();
    assertEquals(await project.closed, "the host has ended it");
    await assertRejects(() => waiting, Error, "The project ended");
    await assertRejects(() => guest!.room.joinProject(shared.id), RequestError, "no such project");
    await host.room.leave();
  });
});

Deno.test("[projects 12.6] host, guests and a late guest have the same after the server's restart", async () => {
  await meet(1, async (meeting) => {
    const { server, host, shared, guests: [guest] } = meeting;
    const { client, project } = guest!;
    const buffer = await project.openBuffer("a.txt");
    const hostBuffer = await shared.openBuffer("a.txt");
    await server.restart();
    await Promise.all([host.client.peer.closed, client.peer.closed]);
    buffer.edit([{ start: 0, end: 0, text: "guest " }]);
    hostBuffer.edit([{ start: 0, end: 0, text: "host " }]);
    await shared.worktree(1n).create("meanwhile.txt", new Uint8Array());
    // Both come back by themselves, in whatever order; the test only spares itself the delays.
    await Promise.all([host.client.reconnect(), client.reconnect()]);
    await buffer.until(hostBuffer.version);
    await hostBuffer.until(buffer.version);
    assertEquals(buffer.text, hostBuffer.text);
    await project.tree.until(1n, shared.worktree(1n).scanId);
    assert(project.tree.find("meanwhile.txt") !== undefined, "the new file is missing");
    const late = await bringIn(meeting, "late");
    assertEquals(late.project.replicaId, 9);
    assertEquals(
      paths(late.project.tree.worktrees.get(1n)!.entries),
      paths(shared.worktree(1n).entries),
    );
    assertEquals((await late.project.openBuffer("a.txt")).text, buffer.text);
  });
});

Deno.test("[projects 9.5] what is edited while the host is away reaches it when it is back", async () => {
  await meet(2, async ({ host, shared, guests: [one, two] }) => {
    const first = await one!.project.openBuffer("a.txt");
    const second = await two!.project.openBuffer("a.txt");
    const hostBuffer = await shared.openBuffer("a.txt");
    host.network.cut();
    await host.client.peer.closed;
    await waitUntil(async () => {
      first.edit([{ start: 0, end: 0, text: "x" }]);
      await one!.project.buffers.idle();
      return one!.project.buffers.syncError;
    }, { describe: "the error that stops the guest" });
    second.edit([{ start: 1, end: 1, text: "second" }]);
    hostBuffer.edit([{ start: 2, end: 2, text: "host" }]);
    host.network.isUp = true;
    await host.client.reconnect();
    await waitUntil(
      () => first.text === second.text && first.text === hostBuffer.text,
      { describe: () => JSON.stringify([first.text, second.text, hostBuffer.text]) },
    );
    assertEquals(one!.project.buffers.syncError, undefined);
    assert(first.text.includes("x") && /s.*e.*c.*o.*n.*d/.test(first.text));
  });
});
