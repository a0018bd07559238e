// deno-lint-ignore-file no-console -- the command line is what people read
/** The command line: `serve`, `user`, `seed`, `backup`, `restore`, `doctor`. */
import { explain } from "./cli/explain.ts";
import { isExecutable, programName } from "./cli/program_name.ts";
import { restoreEnvironment } from "./lib/packaged.ts";
import type { Output } from "./cli/user.ts";
import manifest from "./deno.json" with { type: "json" };

const output: Output = {
  result: (text) => console.log(text),
  note: (text) => console.error(text),
};

/** What follows the program's name, and what that does. */
const commands: readonly (readonly [usage: string, meaning: string])[] = [
  ["serve [option]…", 'run the server, or "serve api" and "serve collab" in two parts'],
  ["serve-local [option]…", "a server for this machine and its network, without accounts"],
  ["discover", "list the local servers of the network"],
  ["login <address>", "sign this device in to a server with accounts"],
  ["join <server>", "pair this device with a local server, by its name or address"],
  ["servers", "list the servers that this device is signed in to"],
  ["use <server>", "choose the one that commands speak with"],
  ["logout [server]", "forget a login"],
  ["pair [login]", "show the code with which a device gets into this machine's local server"],
  ["devices", "list and revoke its devices"],
  ["trust", "make a certificate authority for it"],
  ["user <command>", "manage accounts: add, invite, password, list, …"],
  ["seed <file.json>", "add the accounts and channels that a file names"],
  ["backup <file>", "copy the database while the server runs"],
  ["restore <file>", "bring such a copy back"],
  ["migrate <command>", "bring the database to this version: up, status"],
  ["copy-to-postgres <url>", "move an installation from SQLite to PostgreSQL"],
  ["agent -- <command>", "run an agent for an editor, and show its threads on your devices"],
  ["threads", 'list them; "watch", "send", "approve", "deny" and "cancel" take part'],
  ["doctor [url]", "find out why a Zed could not connect"],
];

function help(): string {
  const width = Math.max(...commands.map(([usage]) => usage.length));
  const lines = commands.map(([usage, meaning]) =>
    `  ${programName()} ${usage.padEnd(width)}  ${meaning}`
  );
  return `Parley, a collaboration server for the Zed editor.

${lines.join("\n")}

  --help     what there is; after a command, about that command
  --version  version of the program`;
}

/** Runs the command line; resolves with the exit code. */
async function main([command, ...args]: readonly string[]): Promise<number> {
  const env = Deno.env.toObject();
  // Each command loads what it needs: "user" is done before a server would have been loaded.
  switch (command) {
    case "serve-local":
      return await (await import("./cli/serve_local.ts")).runServeLocal(args, env, output);
    case "pair":
      await (await import("./cli/pair.ts")).runPair(args, env, output);
      return 0;
    case "devices":
      await (await import("./cli/devices.ts")).runDevices(args, env, output);
      return 0;
    case "discover":
      await (await import("./cli/discover.ts")).runDiscover(args, output);
      return 0;
    case "login":
      await (await import("./cli/login.ts")).runLogin(args, env, output);
      return 0;
    case "join":
      await (await import("./cli/join.ts")).runJoin(args, env, output);
      return 0;
    case "servers":
      await (await import("./cli/servers.ts")).runServers(args, env, output);
      return 0;
    case "use":
      await (await import("./cli/servers.ts")).runUse(args, env, output);
      return 0;
    case "logout":
      await (await import("./cli/servers.ts")).runLogout(args, env, output);
      return 0;
    case "trust":
      await (await import("./cli/trust.ts")).runTrust(args, env, output);
      return 0;
    case "serve":
      return await (await import("./cli/serve.ts")).runServe(args, env, output);
    case "user":
      await (await import("./cli/user.ts")).runUser(args, env, output);
      return 0;
    case "seed":
      await (await import("./cli/seed.ts")).runSeed(args, env, output);
      return 0;
    case "backup":
      await (await import("./cli/backup.ts")).runBackup(args, env, output);
      return 0;
    case "restore":
      await (await import("./cli/backup.ts")).runRestore(args, env, output);
      return 0;
    case "migrate":
      await (await import("./cli/migrate.ts")).runMigrate(args, env, output);
      return 0;
    case "copy-to-postgres":
      await (await import("./cli/copy_to_postgres.ts")).runCopy(args, env, output);
      return 0;
    case "agent":
      return await (await import("./cli/agent.ts")).runAgent(args, env, output);
    case "threads":
    case "watch":
    case "send":
    case "approve":
    case "deny":
    case "cancel":
      return await (await import("./cli/threads.ts")).runThreads(command, args, env, output);
    case "doctor":
      return await (await import("./cli/doctor.ts")).runDoctor(args, env, output);
    case "--version":
      output.result(`parley ${manifest.version}`);
      return 0;
    case undefined:
      // Whoever opens the executable alone wants it to run. [local 1]
      if (isExecutable()) return await main(["serve-local"]);
      output.result(help());
      return 0;
    case "--help":
    case "help":
      output.result(help());
      return 0;
    default:
      output.note(
        `Cannot run "${command}": "--help" lists what there is`,
      );
      return 1;
  }
}

if (import.meta.main) {
  restoreEnvironment();
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    output.note(explain(error));
    Deno.exit(1);
  }
}
