/** The page docs/benchmarks.md: figures, machine, method, date. */
import { appendix, type Row, table } from "./report.ts";

const METHOD = `\
- The servers run in processes of their own: Parley as \`deno task serve\` runs it, on an SQLite file, beside it a
  bare \`Deno.serve\` (\`bench/bare.ts\`) that passes on what it gets and does nothing else. Both are
  driven by the same process over loopback, in the same run.
- Clients are WebSockets over plain TCP (\`bench/raw_socket.ts\`) that only count what they receive, and
  messages are made beforehand, compressed as Zed's: on two processors a client must cost next to
  nothing.
- Forwarding: the host has 64 messages unanswered at any time and both servers answer each of them;
  deliveries to guests are counted. The bare server sends the bytes that it got; Parley decompresses and
  walks each message, checks the sender's right, and sends each guest the bytes with a header of its
  own, about 20 bytes longer. The clients rest for 0.2 ms before they answer, so that the servers do not
  spend their time on waking them. Each server is measured in nine rounds, in turn, and its fastest
  counts: whatever else the machine does can only make it slower.
- Latency is from the host's write to a guest's read, all in one process; the best of three rounds.
- Upload: each message of 256 entries waits for the answer of the one before, which the server gives when
  the entries are on the disk. The bare server answers at once and stores nothing. Join: from the request
  to the last chunk of the tree. The first guest's join makes the chunks, later ones get the same. Both
  are the best of three projects. One more guest decodes everything and checks that the tree is whole.
- The full room: everybody is connected, twenty of them share a project each. A change is a participant's
  new location; a join is a called participant's \`JoinRoom\`; both, and a leave, are told to everybody
  with the room's full description, and the clock stops when the last one has it. The processor's time is
  the server's. Ring, join and leave are measured together and cost a third each.
- The very large project is uploaded and joined as above, once. Meanwhile somebody else, who is in the
  call, sends a \`Ping\` each millisecond and waits for its answer: what takes long there is a turn that
  was too long, or a machine that does other things. Memory is the growth of the process's resident
  memory, 3 s after the last join, with the encoded chunks that later joins use.
- Memory of connections is the growth of the process's resident memory, shared by all connections, 3 s after the last;
  16 handshakes are under way at a time. A crowd that comes at once leaves up to 15 KB of garbage more
  for each, which is collected when there is traffic.
- Connections: each signs in as a user of its own, who has been here before and has no contacts, and has
  got its \`Hello\` and its (empty) \`UpdateContacts\`; up to 400 handshakes are under way at a time, since a
  server refuses more than 512. The bare server sends as much, to anybody.
- Cold start: from the start of the process to a signed-in connection's \`Hello\`, for a new database to
  the first HTTP answer (there is nobody yet who could sign in). Beside it the same of a Deno that
  serves one empty answer. The operating system has read the files before.`;

/**
 * The whole page.
 *
 * @param load average number of other processes that ran or waited when the measurements began
 */
export function benchmarksDocument(
  rows: readonly Row[],
  lines: readonly { readonly name: string; readonly value: string }[],
  load: number,
): string {
  const { deno, v8 } = Deno.version;
  const memory = (Deno.systemMemoryInfo().total / 2 ** 30).toFixed(0);
  return `# Benchmarks

Written by \`deno task bench\`; \`deno task bench --short\` prints the same table from smaller counts.

${table(rows)}

Measured on ${new Date().toISOString().slice(0, 10)}, ${processor()}, ${memory} GiB of memory, \
${Deno.build.os} ${Deno.osRelease()}, Deno ${deno} (V8 ${v8}); load average before the run ${
    load.toFixed(1)
  }.

## Method

${METHOD}

## Appendix: parts

What a message costs between the socket and the actors, and the text CRDT that channel notes use.

${appendix(lines)}
`;
}

function processor(): string {
  const count = navigator.hardwareConcurrency;
  let model = Deno.build.arch as string;
  try {
    model = /^model name\s*: (.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? model;
  } catch {
    // Not Linux: the architecture has to do.
  }
  return `${count} processors (${model})`;
}
