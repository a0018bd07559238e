import { statfs } from "node:fs/promises";
import { openPostgres, type PostgresOptions } from "../../db/postgres/open.ts";
import { createClient } from "../../db/postgres/session.ts";
import type { Store } from "../../db/store.ts";
import { freePort } from "./free_port.ts";

/** Where systems keep the programs of PostgreSQL, beside the search path. */
const FOLDERS = ["/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];

/** Where Linux keeps files in memory; containers often have a few megabytes of it only. */
const MEMORY = "/dev/shm";

/** Bytes that a cluster may come to need, most of them for its log of changes. */
const ROOM = 2 * 1024 ** 3;

/** URL of a PostgreSQL that is there already, whose user may create databases. */
const GIVEN = "PARLEY_TEST_POSTGRES_URL";

/** Database with all migrations, to be copied. */
const TEMPLATE = "parley_template";

/** A PostgreSQL of the tests' own, with as many databases as they like. */
export class TestPostgres implements AsyncDisposable {
  readonly #url: string;
  readonly #cluster: Cluster | undefined;

  private constructor(url: string, cluster: Cluster | undefined) {
    this.#url = url;
    this.#cluster = cluster;
  }

  /**
   * The server that the environment names, or a new one of the system's PostgreSQL.
   *
   * @param options.durable whether what it has answered survives the machine's end, as in production;
   *   without it its files are in memory, where the system has such a place
   * @returns why there is none, as a text, where it cannot be had
   */
  static async start({ durable = true } = {}): Promise<TestPostgres | string> {
    const given = Deno.env.get(GIVEN);
    if (given !== undefined) return new TestPostgres(given, undefined);
    const bin = await programs();
    if (bin === undefined) {
      return `no initdb in the search path or under ${FOLDERS.join(", ")}: ` +
        `install PostgreSQL, or set ${GIVEN}`;
    }
    const cluster = await Cluster.create(bin, durable);
    await cluster.start();
    const postgres = new TestPostgres(cluster.url, cluster);
    await postgres.#query(`create database ${TEMPLATE}`);
    await (await openPostgres({ url: postgres.urlOf(TEMPLATE), name: TEMPLATE })).close();
    return postgres;
  }

  /** Whether it was there already. */
  get given(): boolean {
    return this.#cluster === undefined;
  }

  /** For the environment of other processes. */
  get environment(): Record<string, string> {
    return { [GIVEN]: this.#url };
  }

  /** URL of one of its databases. */
  urlOf(database: string): string {
    const url = new URL(this.#url);
    url.pathname = `/${database}`;
    return url.href;
  }

  /** Makes a database, migrated unless it is to be empty. */
  async create({ empty = false } = {}): Promise<string> {
    const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    await this.#query(`create database ${name} template ${empty ? "template0" : TEMPLATE}`);
    return name;
  }

  /** Removes a database, whoever is connected to it. */
  async drop(database: string): Promise<void> {
    await this.#query(`drop database if exists ${database} with (force)`);
  }

  /** Opens a store on a database. */
  async open(database: string, options: Partial<PostgresOptions> = {}): Promise<Store> {
    return await openPostgres({
      url: this.urlOf(database),
      name: database,
      connections: 2,
      exclusive: true,
      patience: 60_000,
      ...options,
    });
  }

  /** Runs a statement in a database, the first one unless told otherwise. */
  async query(text: string, database?: string): Promise<readonly Record<string, unknown>[]> {
    return await this.#query(text, database);
  }

  /** Stops it as a crash does: nothing is finished, nobody is told. */
  async crash(): Promise<void> {
    await this.#own.stop("immediate");
  }

  /** Starts it again, on the same port. */
  async restart(): Promise<void> {
    await this.#own.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster?.remove();
  }

  get #own(): Cluster {
    if (this.#cluster !== undefined) return this.#cluster;
    throw new Error(`Cannot stop the PostgreSQL of ${GIVEN}: it is not the tests' own`);
  }

  async #query(text: string, database?: string): Promise<readonly Record<string, unknown>[]> {
    const url = database === undefined ? this.#url : this.urlOf(database);
    const client = createClient({ url, name: "test", connections: 1 });
    try {
      return await client.unsafe(text);
    } finally {
      await client.end();
    }
  }
}

/** A data folder of PostgreSQL and the server on it. */
class Cluster {
  readonly #bin: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #durable: boolean;

  private constructor(bin: string, folder: string, port: number, durable: boolean) {
    this.#bin = bin;
    this.#folder = folder;
    this.#port = port;
    this.#durable = durable;
  }

  static async create(bin: string, durable: boolean): Promise<Cluster> {
    const place = !durable && await hasRoom(MEMORY) ? { dir: MEMORY } : {};
    const folder = await Deno.makeTempDir({ prefix: "parley-postgres-", ...place });
    if (Deno.uid() === 0) await run("chown", ["postgres", folder]);
    const cluster = new Cluster(bin, folder, freePort(), durable);
    await cluster.#run("initdb", [
      ...["-D", `${folder}/data`, "-U", "parley", "-E", "UTF8", "--locale=C", "--auth=trust"],
      "--no-instructions",
    ]);
    return cluster;
  }

  get url(): string {
    return `postgres://parley@127.0.0.1:${this.#port}/postgres`;
  }

  async start(): Promise<void> {
    // Forces to the disk what it answers, as in production; waits for nothing else.
    const settings = [
      ...["-p", String(this.#port), "-c", "listen_addresses=127.0.0.1"],
      ...["-c", "unix_socket_directories=''", "-c", "max_connections=200"],
      ...["-c", `fsync=${this.#durable ? "on" : "off"}`],
      ...["-c", "autovacuum=off"],
    ];
    await this.#run("pg_ctl", [
      ...["-D", `${this.#folder}/data`, "-l", `${this.#folder}/log`, "-o", settings.join(" ")],
      ...["-w", "-t", "60", "start"],
    ]);
  }

  async stop(how: "fast" | "immediate"): Promise<void> {
    await this.#run("pg_ctl", ["-D", `${this.#folder}/data`, "-m", how, "-w", "stop"]);
  }

  async remove(): Promise<void> {
    await this.stop("immediate");
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** As the user `postgres` where this one is root, which PostgreSQL refuses. */
  async #run(program: string, args: readonly string[]): Promise<void> {
    const path = `${this.#bin}/${program}`;
    if (Deno.uid() === 0) {
      await run("runuser", ["-u", "postgres", "--", path, ...args], this.#folder);
    } else await run(path, args, this.#folder);
  }
}

async function run(program: string, args: readonly string[], cwd?: string): Promise<void> {
  const out = await Deno.makeTempFile({ prefix: "parley-postgres-out-" });
  try {
    // Into a file: the server inherits the output, and a pipe would stay open as long as it runs.
    const shell = `exec "$0" "$@" >"$PARLEY_OUT" 2>&1`;
    await Deno.chmod(out, 0o666);
    const { success } = await new Deno.Command("sh", {
      args: ["-c", shell, program, ...args],
      env: { PARLEY_OUT: out, LC_ALL: "C" },
      stdin: "null",
      ...(cwd !== undefined && { cwd }),
    }).output();
    if (success) return;
    throw new Error(`Cannot run ${program} ${args[0]}: ${await Deno.readTextFile(out)}`);
  } finally {
    await Deno.remove(out);
  }
}

/** The newest PostgreSQL of this machine; undefined where there is none. */
async function programs(): Promise<string | undefined> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    try {
      for await (const { name } of Deno.readDir(folder)) found.push(`${folder}/${name}/bin`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    found.push(`${folder}/bin`);
  }
  const inOrder = found.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const bin of [...inOrder, ...path]) {
    if (await isFile(`${bin}/initdb`) && await isFile(`${bin}/pg_ctl`)) return bin;
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile ?? false;
}

async function hasRoom(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= ROOM;
  } catch {
    // There is none on this system.
    return false;
  }
}
