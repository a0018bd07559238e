/** Roles of room participants: `ChannelRole` of the wire. [rooms 9.4] [projects 4] */
export const Role = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;

/** May this role read projects? A missing role counts as Banned. */
export function mayRead(role: number | undefined): boolean {
  return role === Role.Admin || role === Role.Member || role === Role.Talker ||
    role === Role.Guest;
}

/** May this role edit projects? A missing role counts as Banned. */
export function mayEdit(role: number | undefined): boolean {
  return role === Role.Admin || role === Role.Member;
}

/** May this role use the microphone? */
export function mayPublish(role: number | undefined): boolean {
  return role === undefined || role === Role.Admin || role === Role.Member || role === Role.Talker;
}

/** Visibility of a channel: `ChannelVisibility` of the wire. [channels 1.2] */
export const Visibility = { Public: 0, Members: 1 } as const;

/** May this role see a channel of that visibility? Without a role nobody does. [channels 5.5] */
export function canSee(role: number | undefined, visibility: number): boolean {
  return mayEdit(role) || (mayRead(role) && visibility === Visibility.Public);
}

/** From the one that may least to the one that may most. */
const BY_POWER: readonly number[] = [Role.Banned, Role.Guest, Role.Talker, Role.Member, Role.Admin];

/** Of two roles the one that may more. [rooms Q-4] */
export function stronger(one: number, other: number): number {
  return BY_POWER.indexOf(one) < BY_POWER.indexOf(other) ? other : one;
}

/** A role number that the protocol knows. */
export function isRole(role: number): boolean {
  return role >= 0 && role <= 4;
}
