/** Avahi, another implementation of multicast DNS, on one machine of the network. */
import { waitUntil } from "../support/wait_until.ts";
import type { Machine } from "./machines.ts";

/** With a `/run` of its own, so that it meets no other Avahi of this computer. */
const START = `mount -t tmpfs none /run && mkdir -p /run/dbus /run/avahi-daemon &&
  dbus-daemon --system --fork --nopidfile &&
  exec avahi-daemon --no-drop-root --no-rlimits --no-chroot`;

/** Why Avahi cannot be run; undefined when it can. */
export async function whyNoAvahi(): Promise<string | undefined> {
  for (const program of ["avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon"]) {
    try {
      await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
        .output();
    } catch {
      return `there is no ${program}: install avahi-daemon, avahi-utils and dbus`;
    }
  }
  return undefined;
}

/** A running Avahi. */
export class Avahi implements AsyncDisposable {
  readonly #daemon: Deno.ChildProcess;

  private constructor(readonly machine: Machine) {
    this.#daemon = machine.command("unshare", [
      ...["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START],
    ], { stdout: "null", stderr: "null" }).spawn();
  }

  /** Starts it and waits until it answers. */
  static async start(machine: Machine): Promise<Avahi> {
    const avahi = new Avahi(machine);
    await waitUntil(
      async () => (await avahi.command("avahi-browse", ["-t", "_none._tcp"]).output()).success,
      {
        describe: "Avahi to answer",
      },
    );
    return avahi;
  }

  /** A program that speaks with it. */
  command(program: string, args: readonly string[]): Deno.Command {
    return new Deno.Command("sh", {
      args: [
        "-c",
        // The daemon is the child of the one that made its namespaces.
        'exec nsenter --target "$(pgrep -P $0 | head -n 1)" --mount --net "$@"',
        `${this.#daemon.pid}`,
        program,
        ...args,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    });
  }

  /** What it sees of a type of services now: lines of `avahi-browse --parsable --resolve`. */
  async browse(type: string): Promise<readonly string[]> {
    const { stdout } = await this.command("avahi-browse", ["-rpt", type]).output();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line.startsWith("="));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#daemon.kill("SIGKILL");
    await this.#daemon.status;
  }
}
