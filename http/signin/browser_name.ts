/** What people call the browsers and systems that headers name. */

const SYSTEMS = /Windows|Macintosh|Android|iPhone|iPad|CrOS|Linux|FreeBSD/;
const SYSTEM_NAMES: Readonly<Record<string, string>> = { Macintosh: "macOS", CrOS: "ChromeOS" };

/** In this order: most browsers name those that come later as well. */
const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["Firefox", "Firefox"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
] as const;

/** The operating system in a `User-Agent`; undefined for one that is not known. */
export function systemOf(agent: string): string | undefined {
  const system = SYSTEMS.exec(agent)?.[0];
  return system && (SYSTEM_NAMES[system] ?? system);
}

/** What its owner knows a browser by, as "Firefox on Linux". */
export function browserName(request: Request): string {
  const agent = request.headers.get("user-agent") ?? "";
  const name = BROWSERS.find(([word]) => agent.includes(`${word}/`))?.[1] ?? "A browser";
  const system = systemOf(agent);
  return system === undefined ? name : `${name} on ${system}`;
}
