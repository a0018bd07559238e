import { assert, assertEquals } from "@std/assert";
import type { Peer } from "../../client/peer.ts";
import {
  fromWireOperation,
  fromWireVersion,
  Replica,
  toWireOperation,
  toWireVersion,
} from "../../text/mod.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import type { MessageLog } from "../support/message_log.ts";
import { printedRandom } from "../support/random.ts";
import { waitUntil } from "../support/wait_until.ts";
import { placesOfTests } from "./places.ts";
import { ServerProcess } from "./server_process.ts";

/** Deaths of the server. */
const ROUNDS = 4;
const MEMBER = 1;
const CHANNEL = { channelId: 1n };

type Wire = MessageTypes["Operation"];

/** Operations that a connection was told of, from a place in its log. */
function toldOf(log: MessageLog, from: number): Wire[] {
  return log.all.slice(from)
    .filter(({ name }) => name === "UpdateChannelBuffer")
    .flatMap(({ message }) => (message as MessageTypes["UpdateChannelBuffer"]).operations);
}

function apply(replica: Replica, operations: readonly Wire[]): void {
  const all = operations.map(fromWireOperation).filter((one) => one !== undefined);
  assertEquals(replica.apply(all).rejected, []);
}

/** Takes the place back: what the server lacks is sent, what is missing here is taken. */
async function comeBack(peer: Peer, replica: Replica): Promise<MessageTypes["VectorClockEntry"][]> {
  const version = toWireVersion(replica.document.version);
  const { buffers: [rejoined] } = await peer.request("RejoinChannelBuffers", {
    buffers: [{ ...CHANNEL, epoch: 0n, version }],
  });
  assert(rejoined !== undefined, "the place is gone");
  const mine = rejoined.collaborators.find(({ replicaId }) => replicaId === replica.replicaId);
  assertEquals(mine?.peerId, peer.peerId);
  const missing = replica.document.missingOperations(fromWireVersion(rejoined.version));
  apply(replica, rejoined.operations);
  peer.send("UpdateChannelBuffer", { ...CHANNEL, operations: missing.map(toWireOperation) });
  return rejoined.version;
}

for (const { name, ignore, database } of await placesOfTests()) {
  Deno.test({
    ignore,
    name:
      `[design 6a] [channels 8.7] [channels 12] kill -9 while two people write notes: what either was told is stored, places and texts come back${name}`,
    fn: async () => {
      const random = printedRandom("crash test of notes");
      await using server = await ServerProcess.prepare(["a", "b"], { database: await database() });
      await server.start();
      let a = await server.connect("a");
      let b = await server.connect("b");
      await a.peer.request("CreateChannel", { name: "zed" });
      const userId = BigInt(server.users.get("b")!.id);
      await a.peer.request("InviteChannelMember", { ...CHANNEL, userId, role: MEMBER });
      await b.peer.request("RespondToChannelInvite", { ...CHANNEL, accept: true });
      const replicas: Replica[] = [];
      for (const { peer } of [a, b]) {
        const { replicaId } = await peer.request("JoinChannelBuffer", CHANNEL);
        replicas.push(new Replica({ replicaId }));
      }
      const [ra, rb] = replicas as [Replica, Replica];
      let relayed = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const from = [a.log.all.length, b.log.all.length];
        const heard = () => toldOf(a.log, from[0]!).length + toldOf(b.log, from[1]!).length;
        const enough = 20 + random.int(100);
        for (let sent = 0; sent < enough;) {
          for (const [{ peer }, replica] of [[a, ra], [b, rb]] as const) {
            const at = random.int(replica.document.length + 1);
            const operation = random.chance(0.2)
              ? replica.undo()
              : replica.edit([{ start: at, end: at, text: "word " }]);
            if (operation === undefined) continue;
            sent++;
            peer.send("UpdateChannelBuffer", {
              ...CHANNEL,
              operations: [toWireOperation(operation)],
            });
          }
        }
        // Some of them are told, others are under way.
        const some = 1 + random.int(10);
        await waitUntil(() => heard() >= some, { describe: "something to be told" });
        await server.kill();
        await Promise.all([a.peer.closed, b.peer.closed]);
        const [toA, toB] = [toldOf(a.log, from[0]!), toldOf(b.log, from[1]!)];
        relayed += toA.length + toB.length;
        apply(ra, toA);
        apply(rb, toB);

        await server.start();
        a = await server.connect("a");
        b = await server.connect("b");
        const stored = fromWireVersion(await comeBack(a.peer, ra));
        for (const operation of [...toA, ...toB].map(fromWireOperation)) {
          assert(operation === undefined || stored.observes(operation), "told, and not stored");
        }
        await comeBack(b.peer, rb);
        await waitUntil(() => {
          apply(ra, toldOf(a.log, 0));
          apply(rb, toldOf(b.log, 0));
          return ra.document.version.covers(rb.document.version) &&
            rb.document.version.covers(ra.document.version);
        }, { describe: "both to have everything" });
        assertEquals(ra.text(), rb.text());
      }
      assert(relayed >= ROUNDS);
      // The last one out takes the text along into the next epoch.
      await a.peer.request("LeaveChannelBuffer", CHANNEL);
      await b.peer.request("LeaveChannelBuffer", CHANNEL);
      const again = await b.peer.request("JoinChannelBuffer", CHANNEL);
      assertEquals([again.epoch, again.baseText], [1n, ra.text()]);
      for (const { peer } of [a, b]) {
        peer.close();
        await peer.closed;
      }
    },
  });
}
