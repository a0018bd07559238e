/**
 * Signs in through the user's browser, as RFC 8252 has it: a key pair for this once, a small server
 * on the loopback address, and a page of the server that sends the browser there. [transport 4.1]
 */
import { Buffer } from "node:buffer";
import { constants, createPrivateKey, privateDecrypt } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../../lib/clock.ts";
import type { Credentials } from "../credentials/store.ts";
import { AuthenticationError, chainText } from "../errors.ts";
import { serviceUrl } from "../http/base_urls.ts";
import { deferred, parseUrl } from "../platform.ts";
import { createNativeKey, type DecryptOld, type NativeKey } from "../sign_in/native_key.ts";
import type { SignInMethod, SignInRequest } from "../sign_in/sign_in_method.ts";

/** How long the user has, in milliseconds. [transport 4.1.8] */
const SIGN_IN_TIMEOUT = 100_000;

/** How a {@link browserSignIn} goes. */
export interface BrowserSignInOptions {
  /** Shows an address to the user: opens a browser, or prints it. */
  readonly open: (url: string) => void | Promise<void>;
  /** Whom an administrator signs in as. [transport 4.1.2] */
  readonly impersonate?: string | undefined;
  readonly systemId?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Signs in through a browser of this machine. */
export function browserSignIn(options: BrowserSignInOptions): SignInMethod {
  return { asksUser: true, signIn: (request) => signIn(request, options) };
}

async function signIn(
  { serverUrl, signal }: SignInRequest,
  { open, impersonate, systemId, clock = systemClock }: BrowserSignInOptions,
): Promise<Credentials> {
  const key = await createNativeKey(decryptOld);
  const came = deferred<Credentials>();
  came.promise.catch(() => {});
  let isFirst = true;
  const server = createServer((request, response) => {
    // The first request decides, whatever its path. [transport 4.1.5]
    if (!isFirst) return void response.writeHead(404).end();
    isFirst = false;
    const credentials = answer(request, response, serverUrl, key);
    came.resolve(credentials);
  });
  const fail = (error: unknown) => came.reject(error);
  const abort = () => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const timer = clock.setTimeout(
    () => fail(new AuthenticationError("Cannot sign in: didn't receive login redirect")),
    SIGN_IN_TIMEOUT,
  );
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    await open(serviceUrl(serverUrl, "site", "/native_app_signin", {
      native_app_port: String(port),
      native_app_public_key: key.publicKey,
      ...(impersonate !== undefined && { impersonate }),
      ...(systemId !== undefined && { system_id: systemId }),
    }));
    return await came.promise;
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    server.close();
    server.closeIdleConnections();
  }
}

/** Reads the one request; the browser goes on to a page that says so. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  serverUrl: string,
  key: NativeKey,
): Promise<Credentials> {
  const query = parseUrl(request.url ?? "", "http://127.0.0.1")?.searchParams;
  const userId = query?.get("user_id");
  const encrypted = query?.get("access_token");
  if (!userId || !encrypted) {
    response.writeHead(500, { connection: "close" }).end();
    throw new AuthenticationError("Cannot sign in: the browser came without user_id, access_token");
  }
  const location = serviceUrl(serverUrl, "site", "/native_app_signin_succeeded");
  response.writeHead(302, { location, connection: "close" }).end();
  if (!/^\d{1,20}$/.test(userId)) {
    throw new AuthenticationError(
      `Cannot sign in: the user id ${JSON.stringify(userId)} is no number`,
    );
  }
  try {
    return { userId: BigInt(userId), token: await key.decrypt(encrypted) };
  } catch (cause) {
    throw new AuthenticationError(`Cannot sign in: ${chainText(cause)}`, { cause });
  }
}

const decryptOld: DecryptOld = (privateKey, bytes) =>
  privateDecrypt(
    {
      key: createPrivateKey({ key: Buffer.from(privateKey), format: "der", type: "pkcs8" }),
      padding: constants.RSA_PKCS1_PADDING,
    },
    bytes,
  );
