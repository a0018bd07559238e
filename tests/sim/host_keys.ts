/** Names of what a host tells in messages without an answer, the same for hosts, guests and checks. */
export const hostKeys = {
  setting: (worktree: bigint, path: string, kind: number) => `setting ${worktree} ${kind} ${path}`,
  diagnostic: (worktree: bigint, path: string, server: bigint) =>
    `diagnostic ${worktree} ${server} ${path}`,
  server: (id: bigint) => `server ${id}`,
};
