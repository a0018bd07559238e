/** All addresses of a server, from the one that its user knows. [transport 8.1] */

/** What an address is for. */
export type Service = "site" | "api" | "cloud" | "llm";

const HOSTED: Readonly<Record<string, Readonly<Record<Exclude<Service, "site">, string>>>> = {
  "https://zed.dev": {
    api: "https://api.zed.dev",
    cloud: "https://cloud.zed.dev",
    llm: "https://cloud.zed.dev",
  },
  "https://staging.zed.dev": {
    api: "https://api-staging.zed.dev",
    cloud: "https://cloud.zed.dev",
    llm: "https://llm-staging.zed.dev",
  },
  "http://localhost:3000": {
    api: "http://localhost:8080",
    cloud: "http://localhost:8787",
    llm: "http://localhost:8787",
  },
};

/** The host of models was another in 2025. */
const LLM_2025 = "https://llm.zed.dev";

/**
 * The address of a path: base and path, one after the other, nothing normalised. Any server but the
 * three that Zed itself knows has all services under its one address; `server` is compared letter by
 * letter, so that `http://localhost:3000` is special and `http://127.0.0.1:3000` is not.
 *
 * @param server the address as the user gave it, without a slash at its end
 */
export function serviceUrl(
  server: string,
  service: Service,
  path: string,
  query: Readonly<Record<string, string>> | undefined = undefined,
  generation: "2025" | "2026" = "2026",
): string {
  let base = service === "site" ? server : HOSTED[server]?.[service] ?? server;
  if (service === "llm" && generation === "2025" && server === "https://zed.dev") base = LLM_2025;
  // In 2025 and 2026 alike an empty query still has its mark; form encoding, as Zed's. [8.1.4] [8.1.5]
  const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  return `${base}${path}${search}`;
}
