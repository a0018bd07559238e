/** What each kind of step does. One that does not fit the moment does nothing. */
import { ContactRequestResponseEnum } from "../../proto/mod.ts";
import { samePeer } from "../../client/same_peer.ts";
import { GuestProject } from "./guest_project.ts";
import { BIG, gitStatuses, HostProject } from "./host_project.ts";
import { HostWorktree } from "./host_worktree.ts";
import { type Action, choose, type Numbers } from "./action.ts";
import { channelActions } from "./channel_steps.ts";
import { chatActions } from "./chat_steps.ts";
import { notesActions } from "./notes_steps.ts";
import type { Step } from "./plan.ts";
import { queryActions } from "./project_queries.ts";
import type { StepKind } from "./step_kinds.ts";
import type { SimBuffer } from "./sim_buffer.ts";
import type { SimClient } from "./sim_client.ts";
import type { Simulation } from "./simulation.ts";

/** Does the step, if it fits. */
export function doStep(sim: Simulation, step: Step): void {
  const client = sim.clients[step.who % sim.clients.length] as SimClient;
  const pick = [0, 1, 2, 3].map((index) => step.pick[index] ?? 0) as unknown as Numbers;
  actions[step.kind](client, pick, sim);
}

const actions: Readonly<Record<StepKind, Action>> = {
  ...channelActions,
  ...notesActions,
  ...chatActions,
  ...queryActions,
  requestContact(client, [a], sim) {
    const other = choose(sim.clients.filter((one) => one.userId !== client.userId), a);
    if (!client.isOnline || other === undefined) return;
    contact(client, other.userId, undefined, "RequestContact");
  },
  respondContact(client, [a, b]) {
    const requesterId = choose([...client.contacts.incoming], a);
    if (client.isOnline && requesterId !== undefined) {
      contact(client, requesterId, b % 5 === 4 ? "strangers" : "contacts", "Respond");
    }
  },
  removeContact(client, [a, b]) {
    const userId = choose([...client.contacts.all.keys()], a);
    if (client.isOnline && userId !== undefined && b % 3 === 0) {
      contact(client, userId, "strangers", "Remove");
    }
  },
  readNotification(client, [a]) {
    const notificationId = choose([...client.notifications.keys()], a);
    if (!client.isOnline || notificationId === undefined) return;
    client.quietly(client.ask("MarkNotificationRead", { notificationId }));
  },
  createRoom(client) {
    if (!client.isOnline || client.room !== undefined) return;
    const { peer } = client;
    client.quietly(
      client.ask("CreateRoom", {}).then(({ room }) => {
        if (peer !== client.peer) return;
        // The one seat is there: what it came into meanwhile, it has been taken out of again.
        client.forgetRoom();
        client.enter(room);
      }),
    );
  },
  call(client, [a]) {
    const calledUserId = choose([...client.contacts.all.keys()], a);
    if (!client.isInCall || calledUserId === undefined) return;
    const initialProjectId = [...client.hosted.keys()][0];
    client.quietly(
      client.ask("Call", { roomId: client.room!.id, calledUserId, initialProjectId }),
    );
  },
  answerCall(client, [a]) {
    const id = choose([...client.rings.keys()], a);
    if (!client.isOnline || client.room !== undefined || id === undefined) return;
    const { peer } = client;
    client.quietly(
      client.ask("JoinRoom", { id }).then(({ room }) => {
        if (peer !== client.peer || room !== undefined && room.id === client.room?.id) return;
        // A ring of a channel's call may be answered on the way into another: it is left for this one.
        // [rooms 10.5]
        client.forgetRoom();
        client.enter(room);
      }, (error) => {
        client.mayBeEvicted = true;
        throw error;
      }),
    );
  },
  declineCall(client, [a]) {
    const roomId = choose([...client.rings.keys()], a);
    if (client.isOnline && roomId !== undefined) client.send("DeclineCall", { roomId });
  },
  cancelCall(client, [a]) {
    const ringing = choose(client.room?.snapshot.pendingParticipants ?? [], a);
    if (!client.isInCall || ringing === undefined) return;
    const value = { roomId: client.room!.id, calledUserId: ringing.userId };
    client.quietly(client.ask("CancelCall", value));
  },
  leaveRoom(client, [a]) {
    if (client.isInCall && a % 2 === 0) client.leave();
  },
  setLocation(client, [a]) {
    if (client.isInCall) locate(client, a);
  },
  setRole(client, [a, b]) {
    const member = choose(client.room?.snapshot.participants ?? [], a);
    if (!client.isInCall || member === undefined || member.userId === client.userId) return;
    // Member, and the two that may only read.
    const value = { roomId: client.room!.id, userId: member.userId, role: [1, 1, 2, 4][b % 4] };
    client.quietly(client.ask("SetRoomParticipantRole", value));
  },
  follow(client, [a]) {
    const project = choose([...client.joined.values()], a);
    const leaderId = project?.host?.peerId;
    if (!client.isInCall || project === undefined || leaderId === undefined) return;
    const value = { roomId: client.room!.id, projectId: project.id, leaderId };
    client.quietly(client.ask("Follow", value));
  },
  unfollow(client, [a]) {
    const follower = choose(
      client.room?.snapshot.followers.filter((one) =>
        samePeer(one.followerId, client.peer.peerId)
      ) ?? [],
      a,
    );
    if (!client.isInCall || follower === undefined) return;
    const { projectId, leaderId } = follower;
    client.send("Unfollow", { roomId: client.room!.id, projectId, leaderId });
  },

  share(client, [a, b], sim) {
    if (!client.isInCall || client.hosted.size > 1) return;
    const worktrees = [new HostWorktree(BIG + BigInt(1000 + a % 3), `folder${a % 3}`)];
    const room = client.room!;
    const { peer } = client;
    client.quietly(
      client.ask("ShareProject", {
        roomId: room.id,
        worktrees: worktrees.map((one) => one.metadata),
      }).then(({ projectId }) => {
        if (client.room !== room || peer !== client.peer) return;
        const project = new HostProject(client, projectId, worktrees);
        client.hosted.set(projectId, project);
        project.announce();
        for (const worktree of worktrees) project.changeTree(worktree, paths(b, 1 + b % 30), []);
        sim.trace(() => `${client.name} shares project ${projectId}`);
      }),
    );
  },
  unshare(client, [a, b]) {
    const project = hostProject(client, a);
    if (project === undefined || b % 2 === 0) return;
    client.forget(project);
    client.send("UnshareProject", { projectId: project.id });
    fence(client);
  },
  changeTree(client, [a, b, c, d]) {
    const project = choose([...client.hosted.values()], a);
    const worktree = project && choose([...project.worktrees.values()], b);
    if (project === undefined || worktree === undefined) return;
    const removed = [...worktree.entries.keys()].filter((_, index) => (index + d) % 7 === 0);
    project.changeTree(worktree, paths(c, c % 12), removed.slice(0, d % 4));
  },
  bulkTree(client, [a, b, c]) {
    const project = choose([...client.hosted.values()], a);
    const worktree = project && choose([...project.worktrees.values()], b);
    if (project === undefined || worktree === undefined) return;
    const long = "a/long/way/down/".repeat(6);
    project.changeTree(worktree, paths(c, 300).map((path) => long + path), []);
  },
  changeWorktrees(client, [a, b]) {
    const project = choose([...client.hosted.values()], a);
    if (project === undefined) return;
    const last = [...project.worktrees.keys()].at(-1);
    if (b % 3 === 0 && last !== undefined && project.worktrees.size > 1) {
      project.removeWorktree(last);
    } else if (project.worktrees.size < 4) project.addWorktree();
  },
  setSettings(client, [a, b, c, d]) {
    const project = hostProject(client, a);
    const worktree = project && choose([...project.worktrees.values()], b);
    if (project === undefined || worktree === undefined) return;
    const content = d % 4 === 0 ? undefined : `{"tab_size":${d % 9}}`;
    project.setSetting(worktree.id, ["", "src"][c % 2] as string, c % 4, content);
  },
  setDiagnostics(client, [a, b, c, d]) {
    const project = hostProject(client, a);
    const worktree = project && choose(announced(project), b);
    if (project === undefined || worktree === undefined) return;
    const counts = [0, 1, 2].slice(0, 1 + c % 3).map((one) => (d + one) % 5);
    project.setDiagnostics(worktree.id, `src/${c % 4}`, BigInt(1 + d % 2), counts);
  },
  setLanguageServer(client, [a, b, c]) {
    const project = hostProject(client, a);
    if (project === undefined) return;
    const id = BIG + BigInt(b % 3);
    if (c % 4 === 0) project.removeServer(id);
    else project.setServer(id, `server${b % 3}`, `{"hover":${c % 5}}`);
  },
  setRepository(client, [a, b, c, d]) {
    const project = choose([...client.hosted.values()], a);
    if (project === undefined) return;
    const status = d % 4 === 0 ? undefined : gitStatuses[d % gitStatuses.length];
    project.changeRepository(BIG + BigInt(b % 3), `branch${c % 5}`, `file${c % 8}`, status);
  },
  removeRepository(client, [a, b]) {
    choose([...client.hosted.values()], a)?.removeRepository(BIG + BigInt(b % 3));
  },

  joinProject(client, [a], sim) {
    const { room } = client;
    if (room === undefined || !client.isInCall) return;
    const projects = room.snapshot.participants
      .filter((one) => one.userId !== client.userId)
      .flatMap((one) => one.projects.map(({ id }) => id))
      .filter((id) => !client.joined.has(id));
    const projectId = choose(projects, a);
    if (projectId === undefined || client.joining.has(projectId)) return;
    client.joining.add(projectId);
    const { peer } = client;
    client.quietly(
      client.ask("JoinProject", { projectId }).then((answer) => {
        if (client.room !== room || peer !== client.peer) return;
        const project = new GuestProject(client, projectId, answer.replicaId, answer);
        client.joined.set(projectId, project);
        sim.trace(() => `${client.name} joined project ${projectId} as ${answer.replicaId}`);
      }).finally(() => client.joining.delete(projectId)),
    );
  },
  leaveProject(client, [a, b]) {
    const project = guestProject(client, a);
    if (project === undefined || b % 2 === 0) return;
    client.forget(project);
    client.send("LeaveProject", { projectId: project.id });
    fence(client);
  },
  openBuffer(client, [a, b]) {
    const path = `file${b % 4}.ts`;
    hostProject(client, a)?.open(path);
    guestProject(client, a)?.openBuffer(path);
  },
  createEntry(client, [a, b]) {
    const project = guestProject(client, a);
    const worktreeId = [...project?.worktrees.keys() ?? []][0];
    if (project === undefined || worktreeId === undefined) return;
    const value = { projectId: project.id, worktreeId, path: `new${b % 20}.ts` };
    client.quietly(client.ask("CreateProjectEntry", value));
  },
  askLanguageServer(client, [a]) {
    guestProject(client, a)?.askLanguageServer();
  },
  edit(client, [a, b, c, d]) {
    change(client, a, (buffer) => buffer.edit([b, c, d]));
  },
  undo(client, [a]) {
    change(client, a, (buffer) => buffer.undo());
  },
  save(client, [a, b]) {
    const project = guestProject(client, a);
    const buffer = project && choose([...project.buffers.values()], b);
    if (project !== undefined && buffer !== undefined) project.save(buffer);
  },

  drop(client, _pick, sim) {
    client.link?.cut();
    sim.lossAt = sim.clock.now();
  },
  stall(client) {
    client.link?.stall();
  },
  unstall(client) {
    client.link?.unstall();
  },
  restart(_client, [a], sim) {
    sim.lossAt = sim.clock.now();
    sim.server.restart(pause(a));
  },
  kill(_client, [a, b], sim) {
    sim.lossAt = sim.clock.now();
    sim.kill(pause(a), b % 4);
  },
  slowStore(_client, [a], sim) {
    const longest = [0, 0, 5, 60, 400][a % 5] as number;
    sim.server.faults.commitTime = () => longest === 0 ? 0 : sim.random.int(longest);
  },
  refuse(_client, [a], sim) {
    const actors = ["/users/", "/rooms/", "/rooms/", "/rooms/", "/channels/", "/channels/"];
    sim.server.faults.refuse = actors[a % actors.length];
  },
  poison(client, [a], sim) {
    sim.server.faults.poisoned = true;
    guestProject(client, a)?.askLanguageServer();
  },
  longWait(_client, [a], sim) {
    sim.longWait(10_000 + a % 40_000);
  },
};

/** Mostly soon enough to come back, sometimes not. */
function pause(number: number): number {
  return number % 5 === 0 ? number % 40_000 : number % 4_000;
}

function paths(number: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `src/file${(number + index * 7) % 400}.ts`);
}

function hostProject(client: SimClient, number: number): HostProject | undefined {
  return choose([...client.hosted.values()].filter(({ attached }) => attached), number);
}

function guestProject(client: SimClient, number: number): GuestProject | undefined {
  return choose([...client.joined.values()].filter(({ attached }) => attached), number);
}

function announced(project: HostProject): HostWorktree[] {
  return [...project.worktrees.values()].filter((one) => one.announced);
}

/** A request behind a message. When something was taken back meanwhile, nobody says if it was that. */
function fence(client: SimClient): void {
  const { room, peer, sim: { refusals } } = client;
  if (room === undefined) return;
  const request = client.ask("UpdateParticipantLocation", {
    roomId: room.id,
    location: { external: {} },
  });
  client.quietly(
    client.outcome(request).then((outcome) => {
      const isDoubtful = outcome === "refused" || refusals !== client.sim.refusals;
      if (isDoubtful && peer === client.peer) client.stalled = true;
    }),
  );
}

function locate(client: SimClient, number: number): void {
  const id = [...client.hosted.keys(), ...client.joined.keys()][0];
  const location = id === undefined || number % 3 === 0
    ? { external: {} }
    : number % 3 === 1
    ? { sharedProject: { id } }
    : { unsharedProject: {} };
  const { room } = client;
  if (room !== undefined) {
    client.quietly(client.ask("UpdateParticipantLocation", { roomId: room.id, location }));
  }
}

/** An edit or undo, of the host or a guest, also while the connection is away. */
function change(
  client: SimClient,
  number: number,
  make: (buffer: SimBuffer) => ReturnType<SimBuffer["edit"]>,
): void {
  if (!client.mayEdit) return;
  const projects = [...client.hosted.values(), ...client.joined.values()];
  const project = choose(projects.filter(({ buffers }) => buffers.size > 0), number);
  const buffer = project && choose([...project.buffers.values()], number >>> 8);
  if (project === undefined || buffer === undefined) return;
  const operation = make(buffer);
  if (operation === undefined) return;
  if (project instanceof HostProject) project.update(buffer.id, [operation]);
  else project.edited(buffer.id, operation);
}

function contact(
  client: SimClient,
  other: bigint,
  result: "contacts" | "strangers" | undefined,
  what: "RequestContact" | "Respond" | "Remove",
): void {
  const response = result === "contacts"
    ? ContactRequestResponseEnum.Accept
    : ContactRequestResponseEnum.Decline;
  const request = what === "RequestContact"
    ? client.ask("RequestContact", { responderId: other })
    : what === "Respond"
    ? client.ask("RespondToContactRequest", { requesterId: other, response })
    : client.ask("RemoveContact", { userId: other });
  client.quietly(client.sim.pairs.follow(client.userId, other, result, request));
}
