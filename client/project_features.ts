/**
 * What host and guests of a project have to agree on, as clients of 2026 say it: a guest whose set
 * differs from the host's is refused. Clients of 2025 have none. [projects 6.1]
 */
export const PROJECT_FEATURES: readonly string[] = ["new-style-anchors"];
