import { assertEquals, assertNotEquals } from "@std/assert";
import { keyId, keyOwner, NO_PEER, peerIdOf, peerKey, peerText } from "../../../rpc/peer_id.ts";

Deno.test("[rooms 1.2] a peer id is one number and two again, without loss", () => {
  const owners = [0, 1, 2, 1_000, 2 ** 21 - 1];
  const ids = [0, 1, 2 ** 31, 2 ** 32 - 1];
  const keys = new Set<number>();
  for (const ownerId of owners) {
    for (const id of ids) {
      const key = peerKey(ownerId, id);
      assertEquals([keyOwner(key), keyId(key)], [ownerId, id]);
      assertEquals(peerIdOf(key), { ownerId, id });
      assertEquals(Number.isSafeInteger(key), true);
      keys.add(key);
    }
  }
  assertEquals(keys.size, owners.length * ids.length);
});

Deno.test("[projects 8.8] a peer id is compared in full", () => {
  assertNotEquals(peerKey(1, 5), peerKey(2, 5));
  assertNotEquals(peerKey(1, 5), peerKey(1, 6));
});

Deno.test("[projects 8.8] a peer id that no server can have given is no peer's", () => {
  assertEquals(peerKey(2 ** 21, 0), NO_PEER);
  assertEquals(peerKey(2 ** 32 - 1, 2 ** 32 - 1), NO_PEER);
  assertEquals(peerKey(-1, -1), NO_PEER);
  assertEquals(peerKey(NaN, 3), NO_PEER);
});

Deno.test("[transport 2.1.1] a peer id is written with its server first", () => {
  assertEquals(peerText(peerKey(1, 5)), "1:5");
  assertEquals(peerText(peerKey(12, 4_000_000_000)), "12:4000000000");
});
