/** Sign-in with GitHub: an OAuth app. GitHub is no OpenID Connect provider. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { GitHubConfig } from "../../lib/config.ts";
import {
  type Challenge,
  type ExternalIdentity,
  PATIENCE,
  personName,
  pictureUrl,
  type Provider,
  ProviderError,
} from "./provider.ts";

const grant = z.object({ access_token: z.string().min(1) });
const profile = z.object({
  id: z.int().positive(),
  login: z.string(),
  name: z.string().nullish(),
  avatar_url: z.string().nullish(),
});

/** What accounts of github.com are kept under; an Enterprise server's under its address. */
const PUBLIC = "https://github.com";

export class GitHubProvider implements Provider {
  readonly id = "github";
  readonly label = "GitHub";
  readonly #config: GitHubConfig;

  constructor(config: GitHubConfig) {
    this.#config = config;
  }

  begin(callback: string, { state, verifier }: Challenge): Promise<URL> {
    const url = new URL(`${this.#config.url}/login/oauth/authorize`);
    url.search = String(
      new URLSearchParams({
        client_id: this.#config.clientId,
        redirect_uri: callback,
        // Nothing but the public profile.
        scope: "",
        state,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
      }),
    );
    return Promise.resolve(url);
  }

  async finish(callback: URL, { state, verifier }: Challenge): Promise<ExternalIdentity> {
    const query = callback.searchParams;
    if (query.get("state") !== state) throw failed("the state is another");
    const code = query.get("code");
    if (!code || query.has("error")) {
      const reason = query.get("error_description") ?? query.get("error") ?? "no reason was given";
      throw new ProviderError(`Signing in with GitHub was refused there: ${reason}`);
    }
    const { clientId, clientSecret, url, apiUrl } = this.#config;
    const { access_token } = await this.#ask(grant, `${url}/login/oauth/access_token`, {
      method: "POST",
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret.reveal(),
        code,
        redirect_uri: callback.origin + callback.pathname,
        code_verifier: verifier,
      }),
    });
    const user = await this.#ask(profile, `${apiUrl}/user`, {
      headers: { authorization: `Bearer ${access_token}`, "user-agent": "Parley" },
    });
    return {
      provider: url === PUBLIC ? "github" : url,
      subject: String(user.id),
      login: user.login,
      name: personName(user.name),
      avatarUrl: pictureUrl(user.avatar_url),
    };
  }

  async #ask<T>(schema: z.ZodType<T>, url: string, init: RequestInit): Promise<T> {
    try {
      const response = await fetch(url, {
        ...init,
        headers: { accept: "application/json", ...init.headers },
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      // GitHub answers 200 to a code that is not good, with an error inside.
      return schema.parse(await response.json());
    } catch (cause) {
      throw failed(`${new URL(url).pathname} gave no good answer`, cause);
    }
  }
}

function failed(reason: string, cause?: unknown): ProviderError {
  return new ProviderError(
    `Signing in with GitHub did not work (${reason}); try again, and tell whoever runs this server ` +
      "if it stays so",
    { cause },
  );
}
