/** What to tell people about errors that end the program. */
import { ConnectError } from "../client/errors.ts";
import { InvalidLoginError } from "../db/login.ts";
import { NoSuchUserError } from "../db/accounts.ts";
import { PasswordsBusyError, WeakPasswordError } from "../db/passwords.ts";
import { LoginTakenError, StoreTooNewError, StoreUnavailableError } from "../db/store.ts";
import { BackupError } from "../db/sqlite/backup.ts";
import { CertificateError } from "../http/certificate.ts";
import { ConfigError } from "../lib/read_settings.ts";
import { DataDirError } from "../lib/data_dir.ts";
import { ServerRefusedError } from "./accounts.ts";
import { UsageError } from "./args.ts";
import { SessionError } from "./session/session_error.ts";

const explained = [
  BackupError,
  CertificateError,
  ConfigError,
  ConnectError,
  DataDirError,
  InvalidLoginError,
  LoginTakenError,
  NoSuchUserError,
  PasswordsBusyError,
  ServerRefusedError,
  SessionError,
  StoreTooNewError,
  StoreUnavailableError,
  UsageError,
  WeakPasswordError,
] as const;

/** The message alone for what a user can do something about; with its stack for what is a defect. */
export function explain(error: unknown): string {
  if (explained.some((type) => error instanceof type)) return (error as Error).message;
  if (error instanceof Error) {
    return `Parley has a defect, please report it: ${error.stack ?? error.message}`;
  }
  return `Parley has a defect, please report it: ${String(error)}`;
}

/** An address that a server cannot listen on. */
export function explainListen(error: unknown, host: string, port: number): string | undefined {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return `Cannot listen on ${address}: another program uses this port; ` +
      `stop that one, or choose another port with --port`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `Cannot listen on ${address}: this machine does not have the address; ` +
      `choose one that it has with --host`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `Cannot listen on ${address}: permission denied; choose a port from 1024 with --port`;
  }
  // A plain error of the system's resolver.
  if (error instanceof Error && /lookup address information|no such host/i.test(error.message)) {
    return `Cannot listen on ${address}: nobody knows the name "${host}"; ` +
      `give an address of this machine with --host`;
  }
  return undefined;
}
