/** The part of `multicast-dns` and `dns-packet` that is used here. */
export interface Question {
  name: string;
  type: string;
}
export type Answer =
  | { name: string; type: "PTR"; ttl?: number; flush?: boolean; data: string }
  | { name: string; type: "A" | "AAAA"; ttl?: number; flush?: boolean; data: string }
  | { name: string; type: "TXT"; ttl?: number; flush?: boolean; data: string[] | Uint8Array[] }
  | {
    name: string;
    type: "SRV";
    ttl?: number;
    flush?: boolean;
    data: { target: string; port: number; priority?: number; weight?: number };
  };
export interface Packet {
  id?: number;
  questions: Question[];
  answers: Answer[];
  authorities?: Answer[];
  additionals: Answer[];
}
export interface Remote {
  address: string;
  port: number;
}
export interface MulticastDns {
  on(event: "query" | "response", listener: (packet: Packet, from: Remote) => void): this;
  on(event: "error" | "warning", listener: (error: Error) => void): this;
  on(event: "ready" | "networkInterface", listener: () => void): this;
  query(packet: Partial<Packet>, sent?: (error?: Error | null) => void): void;
  respond(packet: Partial<Packet>, sent?: (error?: Error | null) => void): void;
  respond(packet: Partial<Packet>, to: Remote, sent?: (error?: Error | null) => void): void;
  destroy(done?: () => void): void;
}
export interface Options {
  interface?: string;
  bind?: string | false;
  port?: number;
  ip?: string;
  loopback?: boolean;
  reuseAddr?: boolean;
  ttl?: number;
}
declare function makeMulticastDns(options?: Options): MulticastDns;
export default makeMulticastDns;
