/** Pairing: a page for browsers, and the same for programs. [local 3] [local 3e] */
import { z } from "zod";
import { createToken } from "../../db/access_tokens.ts";
import { readJson } from "../body.ts";
import { clientAddress } from "../client_address.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { browserName } from "./browser_name.ts";
import { withBrowser, withForm } from "./browser_exchange.ts";
import { goOn } from "./form_routes.ts";
import { isNative } from "./native_request.ts";
import { read } from "./native_routes.ts";
import { maxNameLength, pair } from "./pairing.ts";
import { problemPage, signInPage } from "./sign_in_pages.ts";

const OFF = "This server pairs no devices: sign in instead.";

/** `GET /pair`: the form, with the code that a phone has scanned. */
export const showPairing = withBrowser(async (exchange) => {
  if (exchange.deps.pairing === undefined) return problemPage(exchange, 404, OFF);
  const code = exchange.url.searchParams.get("code") ?? undefined;
  return await signInPage(exchange, { native: undefined, ...(code !== undefined && { code }) });
});

/** `POST /pair`: code and name, perhaps for an editor that waits. */
export const pairBrowser = withForm(async (exchange) => {
  const { form, deps, address } = exchange;
  if (deps.pairing === undefined) return problemPage(exchange, 404, OFF);
  const native = isNative(form) ? read(exchange, form) : undefined;
  if (native instanceof Response) return native;
  const [code, name] = [form.get("code") ?? "", form.get("name") ?? ""];
  const verdict = await pair(deps.store, deps.pairing, { code, name, address });
  if ("error" in verdict) {
    return await signInPage(exchange, { native, ...verdict, login: name, code });
  }
  deps.log.info("{login} paired a browser from {address}", { login: verdict.user.login, address });
  const browser = await deps.signIn.sessions.signIn(
    exchange.browser,
    verdict.user,
    exchange.scope,
    browserName(exchange.request),
  );
  return await goOn({ ...exchange, browser }, native);
});

const body = z.object({
  code: z.string().max(64).default(""),
  name: z.string().max(maxNameLength).default(""),
  device: z.string().min(1).max(maxNameLength),
});

/** `POST /local/pair`: for programs; the answer is the only time that the token can be seen. */
export async function pairDevice({ request, deps, peer }: Exchange): Promise<Response> {
  const { pairing, store, log } = deps;
  if (pairing === undefined) return json(404, { error: OFF });
  // A page of another site cannot send this type without being asked for first.
  const isJson = /^application\/json\b/i.test(request.headers.get("content-type") ?? "");
  const parsed = isJson ? body.safeParse(await readJson(request)) : undefined;
  if (parsed?.success !== true) {
    return json(400, {
      error: "Send application/json with the texts code, name and device; device is not empty",
    });
  }
  const { device, ...typed } = parsed.data;
  const address = clientAddress(request.headers, peer, deps.config.trustedProxies);
  const verdict = await pair(store, pairing, { ...typed, address });
  if ("error" in verdict) return json(verdict.status, { error: verdict.error });
  const { user } = verdict;
  log.info("{login} paired {device} from {address}", { login: user.login, device, address });
  return json(200, {
    user_id: user.id,
    login: user.login,
    name: user.name,
    access_token: await createToken(store, user.id, null, device),
    fingerprint: pairing.fingerprint ?? null,
  });
}
