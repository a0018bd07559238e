/** What a role in a channel is good for in its call. [channels 5.8] */
import { assertEquals } from "@std/assert";
import { LiveKitService } from "../support/live_kit_service.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const PUBLIC = 0;
const ROLES = { Admin: 0, Member: 1, Talker: 4, Guest: 2, Banned: 3 } as const;

/** By role: in the call, heard, reading, editing. */
const POWERS: Readonly<Record<keyof typeof ROLES, string>> = {
  Admin: "joins speaks reads edits",
  Member: "joins speaks reads edits",
  Talker: "joins speaks reads",
  Guest: "joins reads",
  Banned: "",
};

Deno.test("[channels 5.8] admins, members and talkers speak; admins and members edit; all but the banned read", async (t) => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const host = await stage.enter("H1");
  await host.call("CreateChannel", { name: "root" });
  await host.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
  const { room } = await host.call("JoinChannel", { channelId: 1n });
  const { projectId } = await host.call("ShareProject", { roomId: room?.id as bigint });
  for (const name of ["OpenBufferById", "SaveBuffer"] as const) {
    host.on(name, (received) => void host.reply(received, "Ack", {}));
  }
  for (const [name, role] of Object.entries(ROLES)) {
    await t.step(name, async () => {
      const peer = await stage.enter(`${name[0]}1`);
      await host.call("InviteChannelMember", { channelId: 1n, userId: peer.userId, role });
      await peer.call("RespondToChannelInvite", { channelId: 1n, accept: true });
      const powers: string[] = [];
      const joined = await peer.ask("JoinChannel", { channelId: 1n });
      if (joined.name === "JoinRoomResponse") {
        powers.push("joins");
        const { liveKitConnectionInfo: info } = joined.value as {
          liveKitConnectionInfo: { token: string; canPublish: boolean };
        };
        const { video } = await liveKit.claims(info.token);
        assertEquals((video as { canPublish: boolean }).canPublish, info.canPublish);
        if (info.canPublish) powers.push("speaks");
        await peer.call("JoinProject", { projectId });
        const asked = async (name: "OpenBufferById" | "SaveBuffer") => {
          const before = host.all(name).length;
          await peer.ask(name, { projectId });
          return host.all(name).length > before;
        };
        if (await asked("OpenBufferById")) powers.push("reads");
        if (await asked("SaveBuffer")) powers.push("edits");
      }
      assertEquals(powers.join(" "), POWERS[name as keyof typeof ROLES]);
    });
  }
});
