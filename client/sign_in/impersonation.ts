/** Signs in as another user, for scripts and tests of whoever runs the server. [transport 4.3.3] */
import { AuthenticationError } from "../errors.ts";
import { serviceUrl } from "../http/base_urls.ts";
import type { SignInMethod } from "./sign_in_method.ts";

/**
 * @param login whom to be
 * @param adminToken the server's secret for administrators
 */
export function withImpersonation(login: string, adminToken: string): SignInMethod {
  return {
    async signIn({ serverUrl, http, signal }) {
      const url = serviceUrl(serverUrl, "cloud", "/internal/users/impersonate");
      const response = await http.request(url, {
        method: "POST",
        headers: { "authorization": `Bearer ${adminToken}`, "content-type": "application/json" },
        body: JSON.stringify({ github_login: login }),
        redirects: 0,
        signal,
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new AuthenticationError(
          `Cannot sign in as ${login}: ${url} answers ${response.status}`,
        );
      }
      const { user_id: userId, access_token: token } = await response.json();
      if (typeof userId !== "number" || typeof token !== "string") {
        throw new AuthenticationError(`Cannot sign in as ${login}: ${url} answers with no login`);
      }
      return { userId, token };
    },
  };
}
