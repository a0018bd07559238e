import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "./packages/oidc_provider.ts";

/** What the provider tells of somebody. */
export interface Person {
  readonly sub: string;
  readonly preferred_username?: string;
  readonly name?: string;
  readonly picture?: string;
}

/** A client of the provider. */
export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callback: string;
}

/** A real OpenID Connect provider, in which everybody is the {@link OidcServer.person} at once. */
export class OidcServer implements AsyncDisposable {
  readonly issuer: string;
  person: Person = { sub: "1" };
  /** Whether who comes declines to sign in. */
  refuses = false;
  readonly #server: Server;

  private constructor(server: Server, issuer: string) {
    this.#server = server;
    this.issuer = issuer;
  }

  /** Starts one on a free port; `client` is asked for once the issuer is known. */
  static async start(client: (issuer: string) => OidcClient): Promise<OidcServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const self = new OidcServer(server, issuer);
    server.on("request", self.#handler(client(issuer)));
    return self;
  }

  #handler({ clientId, clientSecret, callback }: OidcClient) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "test" };
    const provider = new Provider(this.issuer, {
      clients: [{
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [callback],
      }],
      jwks: { keys: [jwk] },
      cookies: { keys: ["a key of the test"] },
      claims: { profile: ["name", "picture", "preferred_username"] },
      features: { devInteractions: { enabled: false } },
      ttl: { Interaction: 60, Grant: 60, Session: 60, AccessToken: 60, IdToken: 60 },
      interactions: { url: () => "/interaction" },
      findAccount: (_context: unknown, accountId: string) => ({
        accountId,
        claims: () => this.person,
      }),
      // Nobody is asked for consent.
      async loadExistingGrant({ oidc }: { oidc: GrantContext }) {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client.clientId,
          accountId: oidc.session.accountId,
        });
        grant.addOIDCScope("openid profile");
        await grant.save();
        return grant;
      },
    });
    const rest = provider.callback();
    return (request: IncomingMessage, response: ServerResponse) => {
      if (request.url !== "/interaction") return rest(request, response);
      const result = this.refuses
        ? { error: "access_denied", error_description: "the user said no" }
        : { login: { accountId: this.person.sub } };
      return provider.interactionFinished(request, response, result);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface GrantContext {
  readonly client: { readonly clientId: string };
  readonly session: { readonly accountId: string };
  readonly provider: {
    readonly Grant: new (of: { clientId: string; accountId: string }) => {
      addOIDCScope(scope: string): void;
      save(): Promise<string>;
    };
  };
}
