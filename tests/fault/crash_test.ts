import { assert, assertEquals } from "@std/assert";
import { RequestError } from "../../client/errors.ts";
import type { Peer } from "../../client/peer.ts";
import { ContactRequestResponseEnum, encode, type MessageTypes } from "../../proto/mod.ts";
import type { MessageLog } from "../support/message_log.ts";
import { printedRandom, type RandomSource } from "../support/random.ts";
import { waitUntil } from "../support/wait_until.ts";
import { ABSENT } from "../sim/register.ts";
import { placesOfTests } from "./places.ts";
import { ServerProcess } from "./server_process.ts";
import { entryText, StreamingHost } from "./streaming_host.ts";

/** Deaths of the server in one test. */
const ROUNDS = 5;

const PLACES = await placesOfTests();

/** What a guest knows of a project when its join stream is over. */
interface Seen {
  readonly trees: ReadonlyMap<bigint, ReadonlyMap<bigint, string>>;
  readonly facts: ReadonlyMap<string, string>;
  readonly statuses: ReadonlyMap<string, string>;
}

/** Waits for a random number of acknowledgements, and then for a random part of a moment. */
async function someTime(random: RandomSource, host: StreamingHost): Promise<void> {
  const enough = host.acknowledgements + random.int(60);
  await waitUntil(() => host.acknowledgements >= enough, { describe: "the host's progress" });
  // In the middle of whatever the server does then, which no condition tells.
  const turns = random.int(50);
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function callInto(host: Peer, roomId: bigint, guest: Peer, guestId: bigint): Promise<void> {
  guest.onRequest("IncomingCall", () => ({}));
  await host.request("Call", { roomId, calledUserId: guestId });
  await guest.request("JoinRoom", { id: roomId });
}

async function befriend(one: Peer, oneId: bigint, other: Peer, otherId: bigint): Promise<void> {
  await one.request("RequestContact", { responderId: otherId });
  await other.request("RespondToContactRequest", {
    requesterId: oneId,
    response: ContactRequestResponseEnum.Accept,
  });
}

/** Joins and reads the stream to its end. */
async function join(peer: Peer, log: MessageLog, roomId: bigint, projectId: bigint): Promise<Seen> {
  const begin = log.all.length;
  const { languageServers, languageServerCapabilities, worktrees } = await peer.request(
    "JoinProject",
    { projectId },
  );
  // Told to this connection behind the stream.
  await peer.request("UpdateParticipantLocation", { roomId, location: { external: {} } });
  const trees = new Map(worktrees.map(({ id }) => [id, new Map<bigint, string>()]));
  const facts = new Map<string, string>();
  const statuses = new Map<string, string>();
  languageServers.forEach(({ id, name }, index) =>
    facts.set(`server ${id}`, `${name} ${languageServerCapabilities[index]}`)
  );
  for (const { name, message } of log.all.slice(begin)) {
    if (name === "UpdateWorktree") {
      const { worktreeId, updatedEntries } = message as MessageTypes["UpdateWorktree"];
      for (const entry of updatedEntries) trees.get(worktreeId)?.set(entry.id, entryText(entry));
    } else if (name === "UpdateWorktreeSettings") {
      const one = message as MessageTypes["UpdateWorktreeSettings"];
      facts.set(`setting ${one.worktreeId} ${one.kind} ${one.path}`, one.content ?? ABSENT);
    } else if (name === "UpdateDiagnosticSummary") {
      const { worktreeId, summary, moreSummaries } = message as MessageTypes[
        "UpdateDiagnosticSummary"
      ];
      for (const one of [summary, ...moreSummaries]) {
        const key = `diagnostic ${worktreeId} ${one?.languageServerId} ${one?.path}`;
        facts.set(key, `${one?.errorCount}/${one?.warningCount}`);
      }
    } else if (name === "UpdateRepository") {
      const { updatedStatuses } = message as MessageTypes["UpdateRepository"];
      for (const one of updatedStatuses) {
        statuses.set(one.repoPath, encode("StatusEntry", one).toBase64());
      }
    }
  }
  return { trees, facts, statuses };
}

function sorted<K>(map: ReadonlyMap<K, string>): string {
  return [...map].map(([key, value]) => `${key} ${value}`).sort().join("\n");
}

/** Everything acknowledged is there, and nothing that was not told. */
function assertKept(host: StreamingHost, seen: Seen): void {
  for (const tree of host.trees) {
    const found = sorted(seen.trees.get(tree.id) ?? new Map());
    const possible = tree.possible().map(sorted);
    assert(
      possible.includes(found),
      `Worktree ${tree.id} has ${
        seen.trees.get(tree.id)?.size
      } entries, ${tree.acknowledged.size} are acknowledged, or another chunk was lost in part`,
    );
  }
  for (const [key, register] of host.registers) {
    const value = seen.facts.get(key) ?? ABSENT;
    assert(register.allows(value), `${key} is ${value}, told was ${register}`);
  }
  for (const [path, status] of host.statuses) {
    const value = seen.statuses.get(path);
    assert(
      value === status || (value !== undefined && host.sentStatuses.get(path)?.has(value)),
      `The status of ${path} is not the acknowledged one`,
    );
  }
}

for (const { name, ignore, database } of PLACES) {
  Deno.test({
    ignore,
    name:
      `[design 6a] [design 1.3] [design 1.3a] [projects 13.2] [projects 12.6] kill -9 while a host tells everything: all that was acknowledged is there, bit for bit${name}`,
    fn: async () => {
      const random = printedRandom("crash test of projects");
      const logins = ["host", ...Array.from({ length: ROUNDS }, (_, round) => `guest${round}`)];
      await using server = await ServerProcess.prepare(logins, { database: await database() });
      await server.start();
      const host = new StreamingHost(random);
      const hostId = BigInt(server.users.get("host")?.id ?? 0);
      let { peer } = await server.connect("host");
      const { room } = await peer.request("CreateRoom", {});
      const roomId = room?.id as bigint;
      await host.share(peer, roomId);
      for (let round = 0; round < ROUNDS; round++) {
        const streaming = host.stream(peer);
        await someTime(random, host);
        await server.kill();
        await streaming;
        await server.start();

        ({ peer } = await server.connect("host"));
        const { resharedProjects } = await peer.request("RejoinRoom", {
          id: roomId,
          resharedProjects: [{ projectId: host.projectId, worktrees: host.worktrees }],
        });
        assertEquals(resharedProjects.map(({ id }) => id), [host.projectId]);
        const guest = await server.connect(`guest${round}`);
        const guestId = BigInt(server.users.get(`guest${round}`)?.id ?? 0);
        await befriend(peer, hostId, guest.peer, guestId);
        await callInto(peer, roomId, guest.peer, guestId);
        assertKept(host, await join(guest.peer, guest.log, roomId, host.projectId));
        guest.peer.close();
        await guest.peer.closed;
      }
      assert(host.acknowledgements > 0);
      peer.close();
      await peer.closed;
    },
  });
}

for (const { name, ignore, database } of PLACES) {
  Deno.test({
    ignore,
    name:
      `[design 6a] [channels 3.6.3] [channels 4.4] kill -9 while contacts are made: what was acknowledged is there, with its notifications${name}`,
    fn: async () => {
      const random = printedRandom("crash test of contacts");
      const others = Array.from({ length: 60 }, (_, index) => `user${index}`);
      await using server = await ServerProcess.prepare(["hub", ...others], {
        database: await database(),
      });
      const hubId = server.users.get("hub")?.id as number;
      const idOf = (login: string) => server.users.get(login)?.id as number;
      const asked = new Set<string>();
      const accepted = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        await server.start();
        const hub = (await server.connect("hub")).peer;
        const [first] = others.filter((login) => asked.has(login) && !accepted.has(login));
        const answering = first === undefined ? undefined : (await server.connect(first)).peer;
        let progress = 0;
        const ask = async () => {
          for (const login of others) {
            if (asked.has(login)) continue;
            try {
              await hub.request("RequestContact", { responderId: BigInt(idOf(login)) });
            } catch (error) {
              // It was stored, and only its answer was lost in the round before.
              if (!(error instanceof RequestError)) throw error;
            }
            asked.add(login);
            progress++;
          }
        };
        const answer = async () => {
          await answering?.request("RespondToContactRequest", {
            requesterId: BigInt(hubId),
            response: ContactRequestResponseEnum.Accept,
          });
          if (first !== undefined) accepted.add(first);
          progress++;
        };
        const work = Promise.allSettled([ask(), answer()]);
        const enough = random.int(8);
        await waitUntil(() => progress >= enough, { describe: "progress" });
        await server.kill();
        await work;

        await server.withStore(async (store) => {
          const contacts = new Map(
            (await store.contactsOf(hubId)).map((
              row,
            ) => [Math.max(row.user_id_a, row.user_id_b), row]),
          );
          for (const login of asked) {
            assert(contacts.has(idOf(login)), `${login} was asked, but is not stored`);
          }
          for (const login of accepted) {
            assertEquals(contacts.get(idOf(login))?.accepted, true, `${login} has accepted`);
          }
          assert(contacts.size <= asked.size + 1, "more is stored than was asked for");
          // A request and its notification are one change. [design 1.3a]
          for (const [id, row] of contacts) {
            const notes = await store.notificationsOf(id, null, 10);
            assertEquals(notes.map(({ kind, is_read }) => [kind, is_read]), [
              ["ContactRequest", row.accepted],
            ]);
          }
        });
      }
      assert(accepted.size > 0 || asked.size > 0);
    },
  });
}

Deno.test("[rooms 16] [design 6a] SIGTERM with clients in the middle of everything: ends in time, with 0, all acknowledged stored", async () => {
  const random = printedRandom("SIGTERM");
  await using server = await ServerProcess.prepare(["host", "guest"]);
  await server.start();
  const host = new StreamingHost(random);
  let { peer } = await server.connect("host");
  const guest = await server.connect("guest");
  const [hostId, guestId] = ["host", "guest"].map((one) => BigInt(server.users.get(one)!.id));
  await befriend(peer, hostId!, guest.peer, guestId!);
  const { room } = await peer.request("CreateRoom", {});
  const roomId = room?.id as bigint;
  await host.share(peer, roomId);
  await callInto(peer, roomId, guest.peer, guestId!);
  await guest.peer.request("JoinProject", { projectId: host.projectId });
  const streaming = host.stream(peer);
  await waitUntil(() => host.acknowledgements > 40);
  const ended = await server.terminate();
  await streaming;
  await guest.peer.closed;
  assertEquals([ended.code, ended.signal], [0, null], ended.errors);
  assert(ended.took < 10_000, `it took ${ended.took} ms`);

  await server.start();
  ({ peer } = await server.connect("host"));
  await peer.request("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId: host.projectId, worktrees: host.worktrees }],
  });
  const back = await server.connect("guest");
  await back.peer.request("RejoinRoom", { id: roomId });
  assertKept(host, await join(back.peer, back.log, roomId, host.projectId));
  for (const one of [peer, back.peer]) {
    one.close();
    await one.closed;
  }
});
