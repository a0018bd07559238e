/** The table of errors, row by row. [projects 14] */
import { assertEquals, assertMatch } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { reconnect, reshared } from "../support/rejoin.ts";
import { entries, FEATURES, Role, Scene } from "../support/scene.ts";
import type { RequestName } from "../../client/responses_table.ts";
import type { TestPeer } from "../support/test_peer.ts";
import { errorOf } from "../support/payload.ts";

const INTERNAL = 0;
const FORBIDDEN = 5;

/** Asks, and looks at the one Error that comes. */
async function fails<N extends RequestName>(
  peer: TestPeer,
  name: N,
  value: Init<MessageTypes[N]>,
  text: RegExp,
  code = INTERNAL,
): Promise<void> {
  const id = peer.send(name, value);
  const error = errorOf(await peer.answer(id));
  await peer.settle();
  assertEquals([error.code, error.tags, peer.answers(id).length], [code, [], 1], name);
  assertMatch(error.message, text);
}

Deno.test("[projects 14a] unknown projects, wrong senders and too low roles are Internal", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [guest, reader], projectId, roomId } = scene;
  const stranger = await scene.connect("stranger");
  const unknown = { projectId: 999n };
  await fails(guest!, "JoinProject", unknown, /no such project/);
  await fails(guest!, "GetHover", unknown, /no such project/);
  await fails(guest!, "UpdateBuffer", unknown, /no such project/);
  await fails(host, "UpdateProject", unknown, /no such project/);
  await fails(guest!, "UpdateProject", { projectId }, /no such project/);
  await fails(guest!, "UpdateWorktree", { projectId }, /no such project/);

  const join = { projectId, features: FEATURES };
  await fails(stranger, "JoinProject", join, /not authorised to read/);
  await fails(stranger, "GetHover", { projectId }, /not authorised to read/);
  await scene.setRole(reader!, Role.Guest);
  const edit = { projectId, operations: [{ undo: {} }] };
  await fails(reader!, "SaveBuffer", { projectId }, /not authorised to edit/);
  await fails(reader!, "UpdateBuffer", edit, /not authorised to edit/);
  const share = { roomId, worktrees: [] };
  await fails(reader!, "ShareProject", share, /guests cannot share/);
  await scene.setRole(reader!, Role.Banned);
  await fails(reader!, "GetHover", { projectId }, /not authorised to read/);
  await fails(reader!, "UpdateBuffer", { projectId }, /not authorised to read/);

  await fails(stranger, "ShareProject", share, /could not find participant/);
  const { room } = await stranger.call("CreateRoom", {});
  await fails(guest!, "ShareProject", { ...share, roomId: room!.id }, /could not find participant/);
});

Deno.test("[projects 14a] joins that cannot be, updates of trees that cannot be, and what nobody handles", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const other = await scene.enter("other", { version: "1.2.3" });
  const text = /from Zed 1\.0\.0 .* use Zed 1\.2\.3: .* older one must be updated/;
  await fails(other, "JoinProject", { projectId }, text);
  await fails(guest, "JoinProject", { projectId, features: FEATURES }, /already joined/);
  const many = scene.worktreeUpdate({ updatedEntries: entries(257) });
  await fails(host, "UpdateWorktree", many, /invalid worktree update/);
  const nowhere = scene.worktreeUpdate({ worktreeId: 7n });
  await fails(host, "UpdateWorktree", nowhere, /no such worktree/);
  await fails(guest, "GitRemoveWorktree", { projectId }, /not allowed for guests/, FORBIDDEN);
  await fails(guest, "Fetch", { projectId }, /message Fetch was not handled/);
});

Deno.test("[projects 14a] hosts who answer wrongly, are gone, or come back wrongly are Internal", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [guest, other], projectId, roomId } = scene;
  const foreign = await scene.share(other!);
  host.on("GetHover", (asked) => host.reply(asked, "Ack", {}));
  await fails(guest!, "GetHover", { projectId }, /wrong response type/);
  const pending = guest!.send("OpenBufferById", { projectId });
  await host.next("OpenBufferById");
  await scene.lose(host);
  const lost = errorOf(await guest!.answer(pending));
  assertEquals([lost.code, lost.message], [INTERNAL, "connection was closed"]);
  await fails(guest!, "GetHover", { projectId }, /no such connection/);

  const back = await reconnect(scene, "host");
  const stranger = await scene.connect("stranger");
  const mine = reshared(scene);
  await fails(stranger, "RejoinRoom", { id: roomId }, /room does not exist or was already left/);
  await fails(back, "RejoinRoom", { ...mine, id: 99n }, /no such room/);
  const gone = { id: roomId, resharedProjects: [{ projectId: 999n }] };
  await fails(back, "RejoinRoom", gone, /project does not exist/);
  const theirs = { id: roomId, resharedProjects: [{ projectId: foreign }] };
  await fails(back, "RejoinRoom", theirs, /no such project/);
});
