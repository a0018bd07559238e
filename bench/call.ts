/** A call on a Parley, set up through the client library; then its sockets only count. */
import { connect, handshakeHeaders } from "../client/connect.ts";
import { Dispatcher } from "../client/dispatcher.ts";
import type { Peer } from "../client/peer.ts";
import type { Account } from "./accounts.ts";
import { handshake, type RawSocket, RawTransport } from "./raw_socket.ts";

/** A signed-in connection: the peer for setting up, the socket for measuring. */
export interface Participant {
  readonly peer: Peer;
  readonly socket: RawSocket;
}

/** The bytes of an account's handshake. */
export function signInRequest(server: URL, account: Account): Uint8Array {
  const credentials = { userId: account.id, token: account.token };
  return handshake(new URL("/rpc", server), handshakeHeaders({ credentials }));
}

/** Signs an account in; it answers rings. */
export async function signIn(server: URL, account: Account): Promise<Participant> {
  const transport = new RawTransport();
  const dispatcher = new Dispatcher();
  dispatcher.onRequest("IncomingCall", () => ({}));
  const peer = await connect({
    transport,
    dispatcher,
    serverUrl: server.href,
    rpcUrl: new URL("/rpc", server).href,
    credentials: { userId: account.id, token: account.token },
  });
  return { peer, socket: transport.socket as RawSocket };
}

/** A room with a host, and others who have answered his call. */
export class Call {
  private constructor(
    readonly host: Participant,
    readonly others: readonly Participant[],
    readonly roomId: bigint,
  ) {}

  /** @param accounts the host's first */
  static async start(server: URL, accounts: readonly Account[]): Promise<Call> {
    const participants: Participant[] = [];
    for (const account of accounts) participants.push(await signIn(server, account));
    const [host, ...others] = participants as [Participant, ...Participant[]];
    const { room } = await host.peer.request("CreateRoom", {});
    const { id = 0n } = room ?? {};
    for (const [index, { peer }] of others.entries()) {
      const calledUserId = BigInt((accounts[index + 1] as Account).id);
      await host.peer.request("Call", { roomId: id, calledUserId });
      await peer.request("JoinRoom", { id });
    }
    return new Call(host, others, id);
  }

  /** Lets the host share one more project, with an empty worktree 1. */
  async share(): Promise<bigint> {
    const { projectId } = await this.host.peer.request("ShareProject", {
      roomId: this.roomId,
      worktrees: [{ id: 1n, rootName: "project", visible: true, absPath: "/home/host/project" }],
    });
    return projectId;
  }

  close(): void {
    for (const { peer } of [this.host, ...this.others]) peer.close();
  }
}
