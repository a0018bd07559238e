/** Versions of Zed as `x-zed-app-version` tells them. [transport 1.5.4] */
export interface AppVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `pre.1` of `1.2.3-pre.1`, empty for a release. */
  readonly prerelease: string;
  /** As it was sent, build metadata included. */
  readonly text: string;
}

const SEMVER =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.+-]+))?$/;

/** Three numbers with optional prerelease and build metadata; undefined for anything else. */
export function parseAppVersion(text: string): AppVersion | undefined {
  const match = SEMVER.exec(text.trim());
  if (match === null) return undefined;
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3]),
    prerelease: match[4] ?? "",
    text: text.trim(),
  };
}

/** True when `version` is older than the release `major.minor.patch`; build metadata is ignored. */
export function isOlder(
  version: AppVersion,
  major: number,
  minor: number,
  patch: number,
): boolean {
  if (version.major !== major) return version.major < major;
  if (version.minor !== minor) return version.minor < minor;
  if (version.patch !== patch) return version.patch < patch;
  return version.prerelease !== "";
}

/** Clients of 2026, which know batched diagnostics: 1.x. Sending 2025's form is always right. */
export function knowsBatchedDiagnostics(version: AppVersion): boolean {
  return !isOlder(version, 1, 0, 0);
}

/**
 * Whether a client answers requests that came after June 2025: those of that month do not, those of
 * 2026 do, and of those between it is not known which of them. What they do not know they never answer.
 * [transport 10.3]
 */
export function knowsLaterRequests(version: AppVersion): boolean | undefined {
  if (isOlder(version, 0, 192, 0)) return false;
  return isOlder(version, 1, 0, 0) ? undefined : true;
}

/**
 * Whether a client reads a `LanguageServerLog` in the form of 2026: those that a server of 2026 lets in.
 * To older ones its fields are of other types, over which their connections end. [projects 10]
 */
export function readsLanguageServerLogs(version: AppVersion): boolean {
  return !isOlder(version, 0, 204, 1);
}

/** Clients of June 2025, which are told their plan and ask for `GetPrivateUserInfo`. [rooms 4.5] */
export function wantsUserPlan(version: AppVersion): boolean {
  return isOlder(version, 0, 200, 0);
}
