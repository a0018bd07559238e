/** What a participant who means no good can do to the others of the room: nothing. */
import { assertEquals, assertMatch } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { Scene } from "../support/scene.ts";

const BEYOND_SAFE = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];

Deno.test("[rooms 10.12] [design 6c] a location with any number of 64 bits is told as it is, and the room goes on", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId } = scene;
  for (const id of BEYOND_SAFE) {
    await guest.call("UpdateParticipantLocation", { roomId, location: { sharedProject: { id } } });
    const { value } = await host.next("RoomUpdated");
    const seat = value.room?.participants.find(({ userId }) => userId === guest.userId);
    assertEquals(seat?.location?.sharedProject?.id, id);
  }
  await host.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
});

Deno.test("[rooms 10.2.3] [design 6c] a call for a project with any number of 64 bits rings, and the room goes on", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId } = scene;
  const callee = await scene.connect("callee");
  callee.on("IncomingCall", (ring) => callee.reply(ring, "Ack", {}));
  await guest.call("RequestContact", { responderId: callee.userId });
  await callee.call("RespondToContactRequest", { requesterId: guest.userId, response: 0 });
  for (const initialProjectId of BEYOND_SAFE) {
    await scene.quiet();
    await guest.call("Call", { roomId, calledUserId: callee.userId, initialProjectId });
    const { value } = await host.next("RoomUpdated");
    assertEquals(value.room?.pendingParticipants[0]?.initialProjectId, initialProjectId);
    assertEquals((await callee.next("IncomingCall")).value.initialProject, undefined);
    await guest.call("CancelCall", { roomId, calledUserId: callee.userId });
  }
  await host.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
});

Deno.test("[projects 12.5.5] [design 6c] a project that is named many times is rejoined once", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId, projectId } = scene;
  const rejoined = await guest.call("RejoinRoom", {
    id: roomId,
    rejoinedProjects: Array.from({ length: 100 }, () => ({ id: projectId })),
  });
  assertEquals(rejoined.rejoinedProjects.length, 1);
  const toldGuest = await scene.told(guest);
  assertEquals(toldGuest.filter((line) => line.startsWith("UpdateWorktree")).length, 1);
  const toldHost = await scene.told(host);
  assertEquals(toldHost.filter((line) => line.startsWith("UpdateProjectColl")).length, 1);

  const reshared = await host.call("RejoinRoom", {
    id: roomId,
    resharedProjects: Array.from({ length: 100 }, () => ({ projectId, worktrees: [{ id: 100n }] })),
  });
  assertEquals(reshared.resharedProjects.length, 1);
  const told = await scene.told(guest);
  assertEquals(told.filter((line) => line.startsWith("UpdateProject ")).length, 1);
});

Deno.test("[channels 4.6] [design 6c] a notification beyond every number is none of yours", async () => {
  await using scene = await Scene.open();
  for (const notificationId of BEYOND_SAFE) {
    const answer = await scene.guest.ask("MarkNotificationRead", { notificationId });
    assertMatch((answer.value as MessageTypes["Error"]).message, /you have no notification/);
  }
});

Deno.test("[projects 5.1a] [projects 5.2] [projects 12.3] [design 6c] a list of worktrees that would hold up the others is refused", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId, projectId } = scene;
  const list = (length: number) => Array.from({ length }, (_, id) => ({ id: BigInt(id + 1) }));
  await host.call("UpdateProject", { projectId, worktrees: list(4_096) });
  await scene.quiet();
  const worktrees = list(4_097);
  for (
    const answer of [
      await host.ask("UpdateProject", { projectId, worktrees }),
      await host.ask("ShareProject", { roomId, worktrees }),
      await host.ask("RejoinRoom", { id: roomId, resharedProjects: [{ projectId, worktrees }] }),
    ]
  ) {
    const { message } = answer.value as MessageTypes["Error"];
    assertEquals(message, "invalid update: 4097 worktrees, at most 4096");
  }
  assertEquals(await scene.told(guest, host), []);
});

Deno.test("[projects 7.3] [projects 7.5] [design 6c] more statuses or summaries than anybody has are refused", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const names = Array.from({ length: 10_001 }, (_, index) => `${index}`);
  const updatedStatuses = names.map((repoPath) => ({ repoPath }));
  for (const more of [{ removedStatuses: names }, { updatedStatuses }]) {
    const answer = await host.ask("UpdateRepository", { projectId, id: 1n, ...more });
    assertMatch(
      (answer.value as MessageTypes["Error"]).message,
      /10001 .* statuses, at most 10000/,
    );
  }
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "a" },
    moreSummaries: Array.from({ length: 50_001 }, (_, index) => ({ path: `${index}` })),
  });
  assertEquals(await scene.told(guest, host), []);
});
