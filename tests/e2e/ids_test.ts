/** What numbers stand for: rows of the database, and connections. [channels 1.1] [transport 1.8.4] */
import { assert, assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { Scene } from "../support/scene.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const NONE = { channelId: 0n };
const nonce = { upperHalf: 1n, lowerHalf: 2n };

Deno.test("[channels 1.1] ids begin at 1 and 0 names nothing; a collaborator is a connection", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  assertEquals([a.userId, b.userId].toSorted(), [1n, 2n]);
  const { channel } = await a.call("CreateChannel", { name: "zed" });
  assertEquals(channel?.id, 1n);
  await a.call("InviteChannelMember", { channelId: 1n, userId: b.userId, role: 1 });
  await b.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  const { notifications } = await a.call("GetNotifications", {});
  assert(notifications.every(({ id }) => id >= 1n) && notifications.length > 0);
  assertEquals((await a.call("JoinChannel", { channelId: 1n })).room?.id, 1n);
  await a.call("JoinChannelChat", { channelId: 1n });
  const { message } = await a.call("SendChannelMessage", { channelId: 1n, body: "hi", nonce });
  assertEquals(message?.id, 1n);

  await a.call("JoinChannelBuffer", { channelId: 1n });
  const opened = await b.call("JoinChannelBuffer", { channelId: 1n });
  assert(opened.bufferId >= 1n);
  assertEquals(opened.collaborators.map(({ peerId, userId }) => [peerId, userId]), [
    [a.peerId, a.userId],
    [b.peerId, b.userId],
  ]);

  assertEquals((await a.call("GetUsers", { userIds: [0n] })).users, []);
  assertEquals((await a.call("GetChannelMessagesById", { messageIds: [0n] })).messages, []);
  await stage.silence();
  for (
    const ask of [
      () => a.ask("RenameChannel", { ...NONE, name: "x" }),
      () => a.ask("CreateChannel", { name: "x", parentId: 0n }),
      () => a.ask("JoinChannelBuffer", NONE),
      () => a.ask("JoinChannel", NONE),
      () => a.ask("JoinRoom", { id: 0n }),
      () => a.ask("RequestContact", { responderId: 0n }),
      () => a.ask("InviteChannelMember", { channelId: 1n, userId: 0n, role: 1 }),
      () => a.ask("MarkNotificationRead", { notificationId: 0n }),
      () => a.ask("RemoveChannelMessage", { channelId: 1n, messageId: 0n }),
    ]
  ) await ask();
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [1, 1, 1, 1, 0, 0, 0, 0, 0].map((code) => `↩ Error ${code}`),
    B1: [],
  });
});

Deno.test("[transport 1.8.4] by the id of Hello others know a client: in the call, in projects, following, and as sender", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId, projectId } = scene;
  const { participants } = guest.all("RoomUpdated").at(-1)?.room as MessageTypes["Room"];
  assertEquals(participants.map(({ peerId }) => peerId), [host.peerId, guest.peerId]);
  const joined = host.all("AddProjectCollaborator").map(({ collaborator }) => collaborator?.peerId);
  assertEquals(joined, [guest.peerId]);
  const [answer] = guest.all("JoinProjectResponse");
  assertEquals(answer?.collaborators.map(({ peerId }) => peerId), [host.peerId]);

  // Whom one follows is named so, and who follows and who asks are told so.
  const id = guest.send("Follow", { roomId, projectId, leaderId: host.peerId });
  const follow = await host.next("Follow");
  assertEquals(follow.originalSenderId, guest.peerId);
  host.reply(follow, "FollowResponse", {});
  await guest.answer(id);
  await scene.quiet();
  const followers = guest.all("RoomUpdated").at(-1)?.room?.followers ?? [];
  assertEquals(followers.map(({ leaderId, followerId }) => [leaderId, followerId]), [
    [host.peerId, guest.peerId],
  ]);
});
