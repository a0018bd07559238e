/** What the editor asks of the sign-in page, checked. [transport 4.1.2, 4.1.9] */
import type { KeyObject } from "node:crypto";
import { NativeAppKeyError, parseNativeAppKey } from "./native_app_key.ts";

/** An editor that waits on a port of this very machine. */
export interface NativeRequest {
  /** Port on the browser's own 127.0.0.1. */
  readonly port: number;
  readonly key: KeyObject;
  /** Login of whom an admin wants to sign in as; clients until October 2025. */
  readonly impersonate: string | undefined;
  /** What came, for the forms that carry it on. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A request of the editor that cannot be answered; the message is for people. */
export class NativeRequestError extends Error {
  override readonly name = "NativeRequestError";
}

const PORT = "native_app_port";
const KEY = "native_app_public_key";

/** Anything with named texts: a query, a form. */
export interface Fields {
  get(name: string): string | null | undefined;
}

/** Whether an editor asks at all. */
export function isNative(fields: Fields): boolean {
  return (fields.get(PORT) ?? fields.get(KEY) ?? null) !== null;
}

/** @throws {NativeRequestError} */
export function parseNativeRequest(fields: Fields): NativeRequest {
  const port = fields.get(PORT) ?? "";
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    throw new NativeRequestError(
      "The editor did not say on which port it waits: choose Sign In in Zed again",
    );
  }
  const text = fields.get(KEY) ?? "";
  let key: KeyObject;
  try {
    key = parseNativeAppKey(text);
  } catch (error) {
    if (error instanceof NativeAppKeyError) {
      throw new NativeRequestError(error.message, { cause: error });
    }
    throw error;
  }
  const impersonate = fields.get("impersonate") || undefined;
  return {
    port: Number(port),
    key,
    impersonate,
    fields: {
      [PORT]: port,
      [KEY]: text,
      ...(impersonate !== undefined && { impersonate }),
    },
  };
}

/** The page for the same request, below the server's own path. */
export function nativePath(prefix: string, { fields }: NativeRequest): string {
  return `${prefix}/native_app_signin?${new URLSearchParams(fields)}`;
}

/** Where the editor listens: always this machine, by number. [transport 4.1.10] */
export function nativeOrigin({ port }: NativeRequest): string {
  return `http://127.0.0.1:${port}`;
}
