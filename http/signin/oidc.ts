/** Single sign-on by OpenID Connect: authorization code with PKCE. */
import * as client from "openid-client";
import type { OidcConfig } from "../../lib/config.ts";
import {
  type Challenge,
  type ExternalIdentity,
  PATIENCE,
  personName,
  pictureUrl,
  type Provider,
  ProviderError,
} from "./provider.ts";

export class OidcProvider implements Provider {
  readonly id = "oidc";
  readonly label: string;
  readonly #config: OidcConfig;
  #discovered: Promise<client.Configuration> | undefined;

  constructor(config: OidcConfig) {
    this.#config = config;
    this.label = config.name;
  }

  async begin(callback: string, { state, nonce, verifier }: Challenge): Promise<URL> {
    return client.buildAuthorizationUrl(await this.#discover(), {
      redirect_uri: callback,
      scope: "openid profile",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
  }

  async finish(callback: URL, { state, nonce, verifier }: Challenge): Promise<ExternalIdentity> {
    const server = await this.#discover();
    try {
      const tokens = await client.authorizationCodeGrant(server, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const { sub, ...claims } = tokens.claims()!;
      // Many providers keep the profile out of the id token.
      const profile = claims.preferred_username === undefined &&
          server.serverMetadata().userinfo_endpoint !== undefined
        ? { ...claims, ...await client.fetchUserInfo(server, tokens.access_token, sub) }
        : claims;
      return {
        provider: this.#config.issuer,
        subject: sub,
        login: typeof profile.preferred_username === "string"
          ? profile.preferred_username
          : undefined,
        name: personName(profile.name),
        avatarUrl: pictureUrl(profile.picture),
      };
    } catch (error) {
      throw refused(this.label, error);
    }
  }

  /** Asked once; again after a failure, since the provider may only have been away. */
  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#config;
    const url = new URL(issuer);
    this.#discovered ??= client.discovery(url, clientId, clientSecret.reveal(), undefined, {
      timeout: PATIENCE / 1000,
      execute: url.protocol === "http:" ? [client.allowInsecureRequests] : [],
    });
    try {
      return await this.#discovered;
    } catch (error) {
      this.#discovered = undefined;
      throw refused(this.label, error);
    }
  }
}

function refused(label: string, cause: unknown): ProviderError {
  if (cause instanceof client.AuthorizationResponseError) {
    return new ProviderError(
      `Signing in with ${label} was refused there: ${cause.error_description ?? cause.error}`,
      { cause },
    );
  }
  return new ProviderError(
    `Signing in with ${label} did not work; try again, and tell whoever runs this server if it stays so`,
    { cause },
  );
}
