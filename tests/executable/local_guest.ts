// deno-lint-ignore-file no-console -- what the test reads
/** Bob's editor on the other machine, with the login that `join` has left: joins, writes, saves. */
import { clientOptions, openSession } from "../../cli/session.ts";
import { CollabClient, Room } from "../../client/deno.ts";
import { waitUntil } from "../support/wait_until.ts";

const [ada] = Deno.args as [string];
const session = await openSession({}, Deno.env.toObject());
const client = await CollabClient.connect(clientOptions(session));
const called = Promise.withResolvers<{ roomId: bigint; projectId: bigint | undefined }>();
client.onRequest("IncomingCall", ({ roomId, initialProject }) => {
  called.resolve({ roomId, projectId: initialProject?.id });
  return {};
});
client.onMessage("CallCanceled", () => {});
client.onStatus(({ name }) => {
  if (name === "ConnectionLost") console.log("lost");
});
await waitUntil(() => client.acceptContact(BigInt(ada)).then(() => true));
const { roomId, projectId } = await called.promise;
const room = await Room.join(client, roomId);
const project = await room.joinProject(projectId as bigint);
await project.tree.complete();
const buffer = await project.openBuffer("a.txt");
buffer.edit([{ start: 0, end: 0, text: "from desk\n" }]);
await waitUntil(() => buffer.text.includes("from ship"));
await project.save(buffer);
console.log("saved");

// Once thrown out, its login is good for nothing.
await waitUntil(() => client.status.name !== "Connected", { timeoutMs: 120_000 });
client.close();
await waitUntil(
  async () => {
    try {
      (await CollabClient.connect(clientOptions(session))).close();
      return false;
    } catch {
      return true;
    }
  },
);
console.log("refused");
