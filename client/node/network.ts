/** How a program of Node or Deno gets to its server. */
import process from "node:process";
import { rootCertificates } from "node:tls";
import type { ReadEnvironment } from "./proxy.ts";

/** Settings of the network; nothing is needed. */
export interface Network {
  /** The address of a proxy, before those of the environment. [transport 1.4.1] */
  readonly proxy?: string | undefined;
  /** Reads the environment; the process's own if not given. `() => undefined` for none. */
  readonly environment?: ReadEnvironment | undefined;
  /** Certificates of authorities that are trusted besides the runtime's own: PEM. */
  readonly ca?: readonly string[] | undefined;
  /** Fingerprint of the one server that is spoken with, known from pairing. [local 4a] */
  readonly pin?: string | undefined;
}

/** Reads the environment. */
export function environmentOf({ environment }: Network): ReadEnvironment {
  return environment ?? ((name) => process.env[name]);
}

/** All authorities to trust; undefined for the runtime's own. */
export function trustOf({ ca }: Network): readonly string[] | undefined {
  return ca === undefined ? undefined : [...rootCertificates, ...ca];
}
