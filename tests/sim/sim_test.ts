import { assertEquals, assertRejects } from "@std/assert";
import type { Write } from "../../db/store.ts";
import { encode } from "../../proto/mod.ts";
import { Permissions } from "./permissions.ts";
import { loadPlan, makePlan, opening, type Plan, savePlan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { type RunResult, simulate } from "./simulation.ts";
import type { StepKind } from "./step_kinds.ts";

/** Seeds that every run of the tests tries, in pieces that say roughly where a failure lies. */
const SEEDS = 200;
const PIECES = 8;

function assertGood({ plan, failures }: RunResult): void {
  assertEquals(failures, [], `repeat with: deno task sim --seed ${plan.seed} --trace`);
}

/** The opening, and behind it what the test is about. */
function story(clients: number, ...steps: readonly [StepKind, number, ...number[]][]): Plan {
  return {
    seed: 1,
    clients,
    steps: [
      ...opening(clients),
      ...steps.map(([kind, who, ...pick]) => ({ wait: 300, kind, who, pick })),
    ],
  };
}

for (let piece = 0; piece < PIECES; piece++) {
  const first = 1 + piece * SEEDS / PIECES;
  const last = first + SEEDS / PIECES - 1;
  Deno.test(
    `[design 6] [design 6d] [design 1.5] [projects 15.5a] [projects 15.6] [rooms 19.1] seeds ${first} to ${last}: at rest nothing is lost, doubled or seen unduly`,
    async () => {
      for (let seed = first; seed <= last; seed++) assertGood(await simulate(makePlan(seed)));
    },
  );
}

Deno.test("[design 6] eight clients in long plans", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    assertGood(await simulate(makePlan(seed, { clients: 8, steps: 300 })));
  }
});

Deno.test("[design 6] the same plan gives the same run, message by message", async () => {
  const [one, other] = [
    await simulate(makePlan(11), { trace: true }),
    await simulate(makePlan(11), { trace: true }),
  ];
  const readable = (result: RunResult) =>
    result.trace.map((line) => line.replaceAll(/"livekitRoom":"[^"]*"?/g, ""));
  assertEquals(readable(one), readable(other));
});

Deno.test("[design 6] shrinking drops the steps that a failure does not need", async () => {
  const fails = (plan: Plan): Promise<RunResult> => {
    const guilty = plan.steps.filter(({ kind }) => kind === "kill" || kind === "share").length;
    const failures = guilty >= 2 ? ["it failed"] : [];
    return Promise.resolve({ plan, failures, counts: new Map(), trace: [] });
  };
  const plan = story(2, ["kill", 0], ["edit", 1], ["kill", 0], ["share", 1]);
  const { plan: small } = await shrink(plan, fails);
  assertEquals(small.steps.length, 2);
});

Deno.test("[design 6] [design 6d] the checks see a guest whose text differs", async () => {
  const plan = story(2, ["edit", 1, 0, 3, 0, 5], ["edit", 0, 0, 9, 1, 2]);
  const result = await simulate(plan, {
    spoil: (sim) => {
      const [project] = [...sim.clients[1]!.joined.values()];
      const [buffer] = [...project!.buffers.values()];
      buffer!.edit([0, 0, 0]);
    },
  });
  assertEquals(result.failures.length, 1);
  assertEquals(result.failures[0]?.includes("at user1 differs"), true, result.failures[0]);
});

Deno.test("[design 6] the checks see a client that is told of a channel it may not see", async () => {
  const result = await simulate({
    seed: 1,
    clients: 2,
    steps: [
      { wait: 500, kind: "createChannel", who: 0, pick: [1, 1, 0, 0] },
      { wait: 500, kind: "openNotes", who: 0, pick: [0, 0, 0, 0] },
    ],
  }, {
    spoil: (sim) => {
      // As if the server had told it of the first channel's notes.
      const { permissions } = sim;
      const tick = permissions.tick();
      assertEquals(permissions.couldSee(1, 1, tick, tick), true);
      assertEquals(permissions.couldSee(2, 1, 0, tick), false);
      const watch = sim.channelRecord.watch(1, 2, "user1");
      const payload = encode("UpdateChannelBufferCollaborators", { channelId: 1n });
      watch.down("UpdateChannelBufferCollaborators", { id: 0, tag: 0, payload }, tick);
    },
  });
  assertEquals(result.failures, [
    "user1 got UpdateChannelBufferCollaborators of channel 1, which its user may not see",
  ]);
});

Deno.test("[design 6] [channels 17.1] a channel may be told of as it looked while it was seen", () => {
  const permissions = new Permissions();
  const channel = { id: 1, root_id: 1, visibility: "members", parent_path: "", channel_order: 1 };
  const member = { channel_id: 1, user_id: 2, role: "member", accepted: true };
  const look = (name: string) => JSON.stringify([name, "members", "", 1]);
  const store = (...writes: unknown[]) =>
    permissions.committed([{ actor: "/channels/1", writes: writes as Write[] }]);
  const put = (table: string, row: unknown) => ({ op: "put", table, row });

  store(put("channels", { ...channel, name: "a" }), put("channel_members", member));
  store({ op: "remove", table: "channel_members", key: { channel_id: 1, user_id: 2 } });
  const removed = permissions.tick();
  store(put("channels", { ...channel, name: "a" }));
  const rewritten = permissions.tick();
  assertEquals(permissions.couldSeeAs(2, 1, look("a"), 0, rewritten), true);
  assertEquals(permissions.couldSeeAs(2, 1, look("a"), removed, rewritten), false);

  store(put("channels", { ...channel, name: "b" }));
  const renamed = permissions.tick();
  assertEquals(permissions.everLooked(1, look("b"), rewritten), false);
  assertEquals(permissions.everLooked(1, look("b"), renamed), true);
  assertEquals(permissions.couldSeeAs(2, 1, look("b"), 0, renamed), false);
});

Deno.test("[design 6] [design 6a] the checks see an acknowledged entry that is not stored", async () => {
  const plan = story(2);
  const result = await simulate(plan, {
    spoil: (sim) => {
      const { store } = sim.server;
      store.commit([{
        actor: "/rooms/1",
        writes: [{ op: "remove", table: "worktree_entries", key: { project_id: 1 } }],
      }]);
    },
  });
  assertEquals(result.failures.some((text) => text.includes("the stored worktree")), true);
});

// Failures that the simulation has found, each with the plan that showed it, made small.

/** Name of the plan in `found/`, and what was wrong. */
const found: readonly [file: string, name: string][] = [
  [
    "silent_after_refusal",
    "[design 6e] [design 1.3d] an actor that was thrown back speaks again",
  ],
  [
    "out_of_order",
    "[design 6e] [design 1.6] who leaves a room that is out of order is gone when it is back",
  ],
  [
    "room_id_twice",
    "[design 6e] [design 1.3a] a room's id is not given twice, whatever is taken back",
  ],
  [
    "end_taken_back",
    "[design 6e] [design 1.3d] a room whose end was taken back is there again, and is left in time",
  ],
  [
    "heard_before_stored",
    "[design 6e] [design 1.3b] what an actor heard of is not told before it is stored",
  ],
  [
    "contact_taken_back",
    "[design 6e] [design 1.3d] a contact told beside a later change is taken back when its own is refused",
  ],
  [
    "call_id_twice",
    "[design 6e] [design 1.3a] the id of a channel's call is not given twice when the channel's part is taken back",
  ],
  [
    "notes_told_early",
    "[design 6e] [design 1.3b] who subscribes hears of no change of notes that is not stored",
  ],
  [
    "notes_taken_back",
    "[design 6e] [design 1.3d] [channels 8.6] who comes back to several notes is told of none whose place was taken back",
  ],
  [
    "expelled",
    "[design 6e] [channels Q-20] who loses sight of a channel has its notes open no longer",
  ],
  [
    "places_exchanged",
    "[design 6e] [channels 8.6] two devices of one user come back to their own places in notes",
  ],
  [
    "older_places",
    "[design 6e] [channels 8.6] [channels 8.3.6] who comes back to several notes is not left with an older list of who has them open",
  ],
  [
    "older_list",
    "[design 6e] [design 1.5] [channels 4.5] a list of notifications is not older than what was told before it",
  ],
  [
    "replica_spoilt",
    "[design 6e] [channels 9.7] nobody gets a replica id of which something waits with others for ever",
  ],
  [
    "written_before_deletion",
    "[design 6e] [design 1.3d] who wrote into notes that are deleted and brought back brings again what was refused",
  ],
  [
    "search_before_rejoining",
    "[design 6e] [projects 9.6] who joins a project again gets the rest of what he searched before",
  ],
  [
    "seat_elsewhere",
    "[design 6e] [design 1.3d] who has a seat elsewhere is gone from the room that was taken back",
  ],
  [
    "member_untold",
    "[design 6e] [design 1.3d] [channels 7.12] who became a member by joining hears so, though the seat was refused",
  ],
  [
    "member_taken_back",
    "[design 6e] [design 1.3b] [channels 5.5] who was taken back as a member is told of nobody's change",
  ],
  [
    "subscribed_in_vain",
    "[design 6e] [design 1.3d] [channels 6.4] who subscribes gets his channels, though what was in them is taken back",
  ],
  [
    "closed_before_subscribing",
    "[design 6e] [channels 6.2] who comes back to notes and then subscribes hears that they went in between",
  ],
  [
    "place_of_another",
    "[design 6e] [channels 8.6] a device that came back to another one's place in notes finds its own",
  ],
  [
    "expelled_in_vain",
    "[design 6e] [channels Q-20] who is to leave notes leaves them, though the database refuses it at first",
  ],
  [
    "silent_place",
    "[design 6e] [channels 8.6] whose place in notes another device took while he kept silent has it again",
  ],
  [
    "place_left_by_another",
    "[design 6e] [channels 8.6] whose place in notes another device took and left has its replica id again",
  ],
  [
    "call_taken_back",
    "[design 6e] [design 1.3b] [channels 6.4] who subscribes hears of nobody in a call that is not stored",
  ],
  [
    "call_over_untold",
    "[design 6e] [design 1.3d] [channels 7.13] that a call is over is heard, though a change of the tree is taken back",
  ],
  [
    "declined_listed",
    "[design 6e] who was listed while he was rung may stay listed when he declines",
  ],
  [
    "ring_failed_listed",
    "[design 6e] who was listed while he was rung may stay listed when the ring fails",
  ],
  [
    "shown_after_removal",
    "[design 6e] [channels 17.1] who left may hear late of a channel that was written again since, looking the same",
  ],
  [
    "ring_answered_twice",
    "[design 6e] [rooms 10.5] who answers a channel's ring again on the way into another call is in the first one",
  ],
];

for (const [file, name] of found) {
  Deno.test(name, async () => {
    const { pathname } = new URL(`found/${file}.json`, import.meta.url);
    assertGood(await simulate(await loadPlan(pathname)));
  });
}

Deno.test("[design 6] a plan that is saved is loaded again", async () => {
  const path = await Deno.makeTempFile({ prefix: "parley-plan-" });
  try {
    const plan = makePlan(17);
    await savePlan(plan, path);
    assertEquals(await loadPlan(path), plan);
    await Deno.writeTextFile(path, "{}");
    await assertRejects(() => loadPlan(path), TypeError, "holds no plan");
  } finally {
    await Deno.remove(path);
  }
});
