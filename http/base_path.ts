/** The path under which all routes live, where the server has one. [transport 8.1.2] */
import type { Config } from "../lib/config.ts";

/** `/zed` for the public URL `https://host/zed`, else empty. */
export function basePath({ publicUrl }: Pick<Config, "publicUrl">): string {
  return publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");
}

/**
 * A request's path below the prefix, with slashes that were doubled by a `server_url` that ends in one
 * made single. A proxy may have taken the prefix off already. [transport 8.1.1]
 */
export function routePath(pathname: string, prefix: string): string {
  const path = pathname.replaceAll(/\/{2,}/g, "/");
  if (prefix === "" || !`${path}/`.startsWith(`${prefix}/`)) return path;
  return path.slice(prefix.length) || "/";
}
