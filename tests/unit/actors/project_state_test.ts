import { assertEquals, assertThrows } from "@std/assert";
import { checkAccess, checkRole } from "../../../actors/project/access.ts";
import {
  type Collaborator,
  diagnosticKey,
  FIRST_GUEST_REPLICA,
  ProjectState,
  settingsKey,
  wireCollaborator,
  wireWorktree,
} from "../../../actors/project/state.ts";
import {
  OpenQueries,
  QUERIES_OF_GUEST,
  QUERY_LIFETIME,
} from "../../../actors/project/open_queries.ts";
import { Worktree } from "../../../actors/project/worktree.ts";
import { Role } from "../../../actors/roles.ts";
import { RpcError } from "../../../rpc/errors.ts";
import { type PeerKey, peerKey } from "../../../rpc/peer_id.ts";
import type { Access } from "../../../rpc/routes.ts";

const HOST = peerKey(1, 1);

function newProject(): ProjectState {
  const project = new ProjectState({
    id: 12,
    roomId: 3,
    hostUserId: 1,
    hostKey: HOST,
    windowsPaths: false,
    features: [],
  });
  project.add(collaborator(HOST, 0, { isHost: true }));
  return project;
}

function collaborator(
  key: PeerKey,
  replicaId: number,
  rest: Partial<Collaborator> = {},
): Collaborator {
  return {
    key,
    userId: 1,
    replicaId,
    isHost: false,
    committerName: undefined,
    committerEmail: undefined,
    ...rest,
  };
}

Deno.test("[projects 6.2] guests get the smallest free replica id from 8", () => {
  const project = newProject();
  const join = (id: number) => {
    const guest = collaborator(peerKey(1, id), project.freeReplicaId() as number);
    project.add(guest);
    return guest;
  };
  const guests = [join(10), join(11), join(12)];
  assertEquals(guests.map(({ replicaId }) => replicaId), [8, 9, 10]);
  assertEquals(FIRST_GUEST_REPLICA, 8);
  project.delete(guests[1] as Collaborator);
  assertEquals(join(13).replicaId, 9);
  assertEquals(join(14).replicaId, 11);
  assertEquals(project.guests.length, 4);
});

Deno.test("[projects 6.2] a full project has no replica id left", () => {
  const project = newProject();
  for (let replica = 8; replica <= 65_533; replica++) {
    project.collaborators.set(replica, collaborator(peerKey(1, replica), replica));
  }
  assertEquals(project.freeReplicaId(), undefined);
});

Deno.test("[projects 12.3] a collaborator that moves keeps its replica, its old connection is nobody", () => {
  const project = newProject();
  const guest = collaborator(peerKey(1, 5), 8);
  project.add(guest);
  project.rebind(guest, peerKey(2, 6));
  assertEquals([project.collaborator(peerKey(1, 5)), project.collaborator(peerKey(2, 6))], [
    undefined,
    guest,
  ]);
  project.rebind(guest, peerKey(2, 6));
  assertEquals([project.collaborator(peerKey(2, 6)), guest.replicaId], [guest, 8]);
  project.delete(guest);
  assertEquals(project.collaborator(peerKey(2, 6)), undefined);
  assertEquals(project.guests, []);
});

Deno.test("[projects 8.6c] queries expire after minutes, and when guest or host goes", () => {
  const project = newProject();
  const guests = [collaborator(peerKey(1, 5), 8), collaborator(peerKey(1, 6), 9)];
  for (const guest of guests) project.add(guest);
  const { queries } = project;
  const ask = (guest: number, askedAt: number) => queries.add(peerKey(1, guest), 0n, askedAt);
  ask(5, 0);
  ask(6, 1_000);
  ask(5, 2_000);
  ask(5, QUERY_LIFETIME);
  assertEquals(queries.size, 4);
  ask(5, QUERY_LIFETIME + 1_001);
  assertEquals(queries.size, 3);
  const last = ask(6, QUERY_LIFETIME + 1_001);
  project.delete(guests[0] as Collaborator);
  assertEquals(queries.size, 1);
  assertEquals(queries.take(last)?.guest, peerKey(1, 6));
  assertEquals([queries.take(last), queries.size], [undefined, 0]);
  ask(6, QUERY_LIFETIME + 1_001);
  project.rebind(project.collaborator(HOST) as Collaborator, peerKey(1, 9));
  assertEquals(queries.size, 0);
});

Deno.test("[projects 8.6c] a guest with very many queries loses its own oldest, and nobody else's", () => {
  const queries = new OpenQueries();
  const other = queries.add(2, 7n, 0);
  const first = queries.add(1, 0n, 0);
  const second = queries.add(1, 1n, 0);
  for (let more = 1; more < QUERIES_OF_GUEST; more++) queries.add(1, 2n, 0);
  assertEquals(queries.size, QUERIES_OF_GUEST + 1);
  assertEquals(queries.take(first), undefined);
  assertEquals(queries.take(second)?.requestId, 1n);
  assertEquals(queries.take(other)?.requestId, 7n);
});

Deno.test("[projects 8.6b] a project that starts over gives its queries other ids than before", () => {
  const before = new OpenQueries().add(1, 0n, 0);
  const after = new OpenQueries().add(1, 0n, 0);
  assertEquals(before === after, false);
});

Deno.test("[projects 7.6b] files of one directory are kept apart by kind, summaries by server", () => {
  const files = [
    settingsKey(1n, "a", 0),
    settingsKey(1n, "a", 1),
    settingsKey(1n, "", 0),
    settingsKey(11n, "", 0),
    settingsKey(2n ** 53n, "", 0),
    settingsKey(2n ** 53n + 1n, "", 0),
  ];
  assertEquals(new Set(files).size, files.length);
  const summaries = [
    diagnosticKey(1n, "a", 1n),
    diagnosticKey(1n, "a", 2n),
    diagnosticKey(1n, "a", 2n ** 63n),
    diagnosticKey(11n, "a", 1n),
  ];
  assertEquals(new Set(summaries).size, summaries.length);
});

Deno.test("[projects 6.3a] worktrees are listed by id, as whole numbers of 64 bits", () => {
  const project = newProject();
  for (const id of [10n, 2n, 2n ** 63n, 2n ** 53n + 1n, 2n ** 53n]) {
    project.worktrees.set(id, new Worktree(id, "r", "/r", true));
  }
  assertEquals(project.sortedWorktrees().map(({ id }) => id), [
    2n,
    10n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n,
  ]);
});

Deno.test("[projects 2c] collaborators and worktrees are told with all that guests need", () => {
  const guest = collaborator(peerKey(2, 5), 8, { userId: 7, committerName: "Ann" });
  assertEquals(wireCollaborator(guest), {
    peerId: { ownerId: 2, id: 5 },
    replicaId: 8,
    userId: 7n,
    isHost: false,
    committerName: "Ann",
    committerEmail: undefined,
  });
  assertEquals(wireWorktree(new Worktree(3n, "r", "/r", false)), {
    id: 3n,
    rootName: "r",
    visible: false,
    absPath: "/r",
    rootRepoCommonDir: undefined,
  });
});

/** Whether a sender may: undefined, or the text of the refusal. */
function refusal(access: Access, sender: PeerKey, role: number | undefined): string | undefined {
  const project = newProject();
  project.add(collaborator(peerKey(1, 5), 8));
  try {
    checkAccess(access, project, sender, role);
    return undefined;
  } catch (error) {
    return (error as RpcError).message;
  }
}

Deno.test("[projects 4] readers and editors have joined the project and have a role that may", () => {
  const guest = peerKey(1, 5);
  const roles = [Role.Admin, Role.Member, Role.Guest, Role.Banned, Role.Talker, undefined];
  const allowed = (access: Access, sender: PeerKey) =>
    roles.map((role) => refusal(access, sender, role) === undefined);
  assertEquals(allowed("reader", guest), [true, true, true, false, true, false]);
  assertEquals(allowed("editor", guest), [true, true, false, false, false, false]);
  assertEquals(allowed("reader", HOST), [true, true, true, false, true, false]);
  const stranger = peerKey(1, 99);
  assertEquals(allowed("reader", stranger), Array(6).fill(false));
  assertEquals(allowed("editor", stranger), Array(6).fill(false));
  assertEquals(refusal("reader", stranger, undefined), "not authorised to read projects");
  assertEquals(refusal("editor", guest, Role.Guest), "not authorised to edit projects");
});

Deno.test("[projects 4.2] the sender's whole peer id counts, that of another server is another", () => {
  assertEquals(refusal("host", peerKey(2, 1), Role.Admin)?.includes("no such project"), true);
  assertEquals(refusal("collaborator", peerKey(2, 5), Role.Admin) === undefined, false);
});

Deno.test("[projects 10] a host's messages come from the host's connection, whatever its role", () => {
  assertEquals(refusal("host", HOST, Role.Guest), undefined);
  assertEquals(refusal("host", HOST, undefined), undefined);
  assertEquals(refusal("host", peerKey(1, 5), Role.Admin)?.includes("no such project"), true);
  assertEquals(refusal("collaborator", peerKey(1, 5), undefined), undefined);
  assertEquals(refusal("collaborator", HOST, undefined), undefined);
  assertEquals(refusal("participant", peerKey(9, 9), undefined), undefined);
});

Deno.test("[projects 4.4] a role that may not is refused as not authorised", () => {
  checkRole("reader", Role.Talker);
  checkRole("editor", Role.Member);
  assertThrows(() => checkRole("reader", Role.Banned), RpcError, "not authorised to read");
  assertThrows(() => checkRole("editor", Role.Talker), RpcError, "not authorised to edit");
});
