/** Where a user's settings of this program are. [local 8] */
import type { Environment } from "../../lib/read_settings.ts";
import { SessionError } from "./session_error.ts";

/** The folder `parley` for settings; it need not be there. @throws {SessionError} no home folder */
export function configFolder(env: Environment, os: typeof Deno.build.os = Deno.build.os): string {
  if (os === "windows") {
    const base = env.APPDATA || (env.USERPROFILE && `${env.USERPROFILE}\\AppData\\Roaming`);
    if (base) return `${base}\\Parley`;
  } else {
    if (env.XDG_CONFIG_HOME?.startsWith("/")) return `${env.XDG_CONFIG_HOME}/parley`;
    if (env.HOME) return `${env.HOME}/.config/parley`;
  }
  throw new SessionError(
    "Cannot find the folder for logins: no home folder is known; set XDG_CONFIG_HOME",
  );
}
