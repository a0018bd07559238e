/**
 * A whole join through a URL, in a process of its own so that it can be told whom to trust
 * (`DENO_CERT`): what stands before the server must let all of it pass.
 *
 *     deno run -A tests/support/join_through.ts <url> '<host as JSON>' '<guest as JSON>' [<idle seconds>]
 *
 * Users are `{"id", "login", "token"}`. It prints `joined` at the end.
 */
import { delay } from "@std/async/delay";
import { befriend, bringIn } from "./call.ts";
import { TestPeer, type TestPeerAddress } from "./test_peer.ts";

/** Files of the project: enough that its tree is many frames. */
const ENTRIES = 2_000;
const AT_ONCE = 250;

/** Two users meet through `url`; the guest joins the host's project and hears what he types. */
export async function joinThrough(
  url: string,
  host: TestPeerAddress["user"],
  guest: TestPeerAddress["user"],
  idleSeconds = 0,
): Promise<void> {
  const me = await fetch(`${url}/client/users/me`, {
    headers: { authorization: `${host.id} ${host.token}` },
  });
  const account = await me.json();
  if (account.user?.github_login !== host.login) {
    throw new Error(`Cannot read the account: ${JSON.stringify(account)}`);
  }
  const rpc = await fetch(`${url}/rpc`, { redirect: "manual" });
  await rpc.body?.cancel();
  const target = rpc.headers.get("location");
  if (target !== `${url}/rpc`) throw new Error(`/rpc leads to ${target} instead of ${url}/rpc`);

  await using a = await TestPeer.connect({ url, user: host }, { likeZed: true });
  await using b = await TestPeer.connect({ url, user: guest }, { likeZed: true });
  await befriend(a, b);
  const { room } = await a.call("CreateRoom", {});
  await bringIn(room?.id as bigint, a, b);
  const worktrees = [{ id: 1n, rootName: "app", visible: true }];
  const { projectId } = await a.call("ShareProject", { roomId: room?.id as bigint, worktrees });
  for (let first = 0; first < ENTRIES; first += AT_ONCE) {
    await a.call("UpdateWorktree", {
      projectId,
      worktreeId: 1n,
      rootName: "app",
      absPath: "/app",
      updatedEntries: Array.from({ length: AT_ONCE }, (_, i) => ({
        id: BigInt(first + i + 1),
        path: `src/file_${first + i}.ts`,
      })),
      scanId: BigInt(first),
      isLastUpdate: true,
    });
  }
  await b.call("JoinProject", { projectId });
  for (let heard = 0; heard < ENTRIES;) {
    heard += (await b.next("UpdateWorktree")).value.updatedEntries.length;
  }
  // Nobody says anything: what is between must not end what is idle.
  // deno-lint-ignore parley/no-sleep -- what is tested is that time passes; by hand only
  await delay(idleSeconds * 1_000);
  a.send("UpdateBuffer", { projectId, bufferId: 1n, operations: [] });
  await b.next("UpdateBuffer");
}

if (import.meta.main) {
  const [url = "", host = "", guest = "", idle = "0"] = Deno.args;
  await joinThrough(url, JSON.parse(host), JSON.parse(guest), Number(idle));
  await Deno.stdout.write(new TextEncoder().encode("joined\n"));
}
