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

/** A role number that the protocol knows. */
export function isRole(role: number): boolean {
  return role >= 0 && role <= 4;
}
