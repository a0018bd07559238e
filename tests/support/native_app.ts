import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";

/** The editor's part of a sign-in in the browser. [transport 4.1] */
export interface NativeApp {
  /** As in the query of `/native_app_signin`. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  /** A token as the editor reads it: padded base64url, OAEP with SHA-256, then PKCS#1 v1.5. */
  decrypt(text: string): string;
}

/** Makes a key pair as the editor does for every sign-in. */
export function createNativeApp(bits = 2048): NativeApp {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: bits,
    publicExponent: 65537,
    publicKeyEncoding: { type: "pkcs1", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const key = createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" });
  return {
    publicKey: new Uint8Array(publicKey).toBase64({ alphabet: "base64url" }),
    privateKey: key,
    decrypt(text) {
      if (text.length % 4 !== 0) throw new Error(`Cannot decode ${text}: the padding is missing`);
      const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const plain = privateDecrypt({ key, padding, oaepHash: "sha256" }, bytes);
      return new TextDecoder("utf-8", { fatal: true }).decode(plain);
    },
  };
}

/** What the editor gets out of a sign-in. */
export interface NativeCredentials {
  readonly id: number;
  readonly token: string;
}

/**
 * The small server in which an editor waits for its sign-in: the first request decides, and is sent
 * on to the success page. [transport 4.1.5]
 */
export class NativeListener implements AsyncDisposable {
  readonly app: NativeApp = createNativeApp();
  readonly #first = Promise.withResolvers<NativeCredentials>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(serverUrl: string) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const query = new URL(request.url).searchParams;
      const [id, token] = [query.get("user_id"), query.get("access_token")];
      if (id === null || token === null) this.#first.reject(new Error(`Got ${request.url}`));
      else this.#first.resolve({ id: Number(id), token: this.app.decrypt(token) });
      return new Response(null, {
        status: 302,
        headers: { location: `${serverUrl}/native_app_signin_succeeded` },
      });
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** What came with the first request. */
  get credentials(): Promise<NativeCredentials> {
    return this.#first.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
