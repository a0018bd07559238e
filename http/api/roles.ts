/** Roles and visibilities by the names that the admin API uses. */
import { Role, Visibility } from "../../actors/roles.ts";

const ROLES = {
  admin: Role.Admin,
  member: Role.Member,
  talker: Role.Talker,
  guest: Role.Guest,
  banned: Role.Banned,
} as const;

export type RoleName = keyof typeof ROLES;

/** All of them. */
export const roleNames = Object.keys(ROLES) as RoleName[];

export function roleNumber(name: RoleName): number {
  return ROLES[name];
}

/** What is not known is shown as the least. */
export function roleName(role: number): RoleName {
  return roleNames.find((name) => ROLES[name] === role) ?? "banned";
}

export function visibilityNumber(name: "public" | "members"): number {
  return name === "public" ? Visibility.Public : Visibility.Members;
}

export function visibilityName(visibility: number): "public" | "members" {
  return visibility === Visibility.Public ? "public" : "members";
}
