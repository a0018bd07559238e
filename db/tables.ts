/**
 * The tables of the journal, once: name, columns, primary key. Both databases' generic row writes,
 * the row types in TypeScript and the check of the migrations are derived from this file.
 *
 * A column type ends in `?` where the column may be null.
 *
 * - `int`: a number of ours, below 2^53 (user, room, project ids; indexes; Unix milliseconds)
 * - `u64`: a number that a client chose, all 64 bits; kept as the same bits in a signed column
 * - `text`, `bool`, `bytes`
 */
export type ColumnType =
  | "int"
  | "int?"
  | "u64"
  | "u64?"
  | "text"
  | "text?"
  | "bool"
  | "bool?"
  | "bytes"
  | "bytes?";

export interface Table {
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Names of the primary key's columns, in order; a removal may name a leading part of them. */
  readonly key: readonly string[];
}

export const tables = {
  /** Last number given out per kind of id (`room`, `project`, `channel`, `message`): ids are never used again. */
  counters: { columns: { name: "text", value: "int" }, key: ["name"] },

  /** One row per unordered pair of users, `user_id_a < user_id_b`. [channels 3.1] */
  contacts: {
    columns: {
      user_id_a: "int",
      user_id_b: "int",
      a_to_b: "bool",
      should_notify: "bool",
      accepted: "bool",
    },
    key: ["user_id_a", "user_id_b"],
  },

  /** [channels 4.2], with the kind stored by its name. */
  notifications: {
    columns: {
      id: "int",
      recipient_id: "int",
      created_at: "int",
      kind: "text",
      entity_id: "int?",
      content: "text",
      is_read: "bool",
      response: "bool?",
    },
    key: ["id"],
  },

  /** [rooms 9.1] */
  rooms: { columns: { id: "int", live_kit_room: "text", channel_id: "int?" }, key: ["id"] },

  /** [channels 5.1] */
  channels: {
    columns: {
      id: "int",
      /** The channel at the top of its tree, itself for a root. */
      root_id: "int",
      name: "text",
      /** `public`, `members`. */
      visibility: "text",
      /** Ids from the root to the parent, each followed by "/"; empty for a root. */
      parent_path: "text",
      requires_zed_cla: "bool",
      channel_order: "int",
      created_at: "int",
    },
    key: ["id"],
  },

  /** Of roots only; an invitation is a row that is not accepted. [channels 5.4] */
  channel_members: {
    columns: {
      channel_id: "int",
      user_id: "int",
      /** `admin`, `member`, `talker`, `guest`, `banned`. */
      role: "text",
      accepted: "bool",
    },
    key: ["channel_id", "user_id"],
  },

  /** Who has signed the contributor agreement. [channels 2.6] */
  contributors: { columns: { user_id: "int", signed_at: "int" }, key: ["user_id"] },

  /** [channels 10.1] */
  channel_messages: {
    columns: {
      channel_id: "int",
      id: "int",
      sender_id: "int",
      body: "text",
      sent_at: "int",
      edited_at: "int?",
      /** Of its sender: 32 hexadecimal digits. */
      nonce: "text",
      reply_to_message_id: "u64?",
      /** JSON array of `[start, end, user id]`, in bytes of the body, by start. */
      mentions: "text",
    },
    key: ["channel_id", "id"],
  },

  /** How far a user has seen the messages of a channel. [channels 10.1] */
  observed_channel_messages: {
    columns: { channel_id: "int", user_id: "int", channel_message_id: "int" },
    key: ["channel_id", "user_id"],
  },

  /** The notes of a channel, with their latest operation, of whatever epoch. [channels 8.1] */
  buffers: {
    columns: {
      channel_id: "int",
      /** The channel at the top of the tree. */
      root_id: "int",
      epoch: "int",
      latest_epoch: "int?",
      latest_timestamp: "int?",
      latest_replica_id: "int?",
    },
    key: ["channel_id"],
  },

  /** The text at the begin of an epoch in UTF-8, which may hold what a text column may not. */
  buffer_snapshots: {
    columns: { channel_id: "int", epoch: "int", base_text: "bytes" },
    key: ["channel_id", "epoch"],
  },

  /** `operation` is an `Operation`, an edit or an undo. [channels 9.6] */
  buffer_operations: {
    columns: {
      channel_id: "int",
      epoch: "int",
      lamport_timestamp: "int",
      replica_id: "int",
      operation: "bytes",
    },
    key: ["channel_id", "epoch", "lamport_timestamp", "replica_id"],
  },

  /** Who has the notes open; the connection may be gone. [channels 8.3] */
  channel_buffer_collaborators: {
    columns: {
      channel_id: "int",
      replica_id: "int",
      user_id: "int",
      connection_owner: "int",
      connection_id: "int",
    },
    key: ["channel_id", "replica_id"],
  },

  /** The operation up to which a user has seen the notes. [channels 8.9] */
  observed_buffer_edits: {
    columns: {
      channel_id: "int",
      user_id: "int",
      epoch: "int",
      lamport_timestamp: "int",
      replica_id: "int",
    },
    key: ["channel_id", "user_id"],
  },

  /** One row per user over all rooms, pending or active. [rooms 9.2] */
  room_participants: {
    columns: {
      user_id: "int",
      room_id: "int",
      /** Answering connection: server epoch and number, both null while pending. */
      connection_owner: "int?",
      connection_id: "int?",
      /** `shared`, `unshared`, `external`. */
      location_kind: "text",
      location_project_id: "u64?",
      initial_project_id: "u64?",
      calling_user_id: "int",
      calling_connection_owner: "int?",
      calling_connection_id: "int?",
      participant_index: "int?",
      role: "int?",
      /** Order of joining the table, for pending participants' order. */
      ordinal: "int",
    },
    key: ["user_id"],
  },

  /** [rooms 11] Rows hold peer ids; `ordinal` keeps the order of insertion. */
  followers: {
    columns: {
      room_id: "int",
      project_id: "int",
      leader_owner: "int",
      leader_id: "int",
      follower_owner: "int",
      follower_id: "int",
      ordinal: "int",
    },
    key: ["room_id", "project_id", "leader_owner", "leader_id", "follower_owner", "follower_id"],
  },

  /** [projects 2] */
  projects: {
    columns: {
      id: "int",
      room_id: "int",
      host_user_id: "int",
      host_owner: "int",
      host_id: "int",
      windows_paths: "bool",
      /** JSON array of strings. */
      features: "text",
    },
    key: ["id"],
  },

  project_collaborators: {
    columns: {
      project_id: "int",
      replica_id: "int",
      user_id: "int",
      connection_owner: "int",
      connection_id: "int",
      is_host: "bool",
      committer_name: "text?",
      committer_email: "text?",
    },
    key: ["project_id", "replica_id"],
  },

  worktrees: {
    columns: {
      project_id: "int",
      id: "u64",
      root_name: "text",
      abs_path: "text",
      visible: "bool",
      scan_id: "u64",
      completed_scan_id: "u64",
      root_repo_common_dir: "text?",
    },
    key: ["project_id", "id"],
  },

  /** `entry` is the host's own `Entry` bytes, null for a tombstone. */
  worktree_entries: {
    columns: {
      project_id: "int",
      worktree_id: "u64",
      id: "u64",
      scan_id: "u64",
      entry: "bytes?",
    },
    key: ["project_id", "worktree_id", "id"],
  },

  /** `state` is an `UpdateRepository` without project id and statuses; null for a tombstone. */
  repositories: {
    columns: { project_id: "int", id: "u64", scan_id: "u64", state: "bytes?" },
    key: ["project_id", "id"],
  },

  /** `status` is the host's own `StatusEntry` bytes, null for a tombstone. */
  repository_statuses: {
    columns: {
      project_id: "int",
      repository_id: "u64",
      repo_path: "text",
      scan_id: "u64",
      status: "bytes?",
    },
    key: ["project_id", "repository_id", "repo_path"],
  },

  /** Keyed with the server, unlike the reference. [projects 7.5] `summary` is a `DiagnosticSummary`. */
  diagnostic_summaries: {
    columns: {
      project_id: "int",
      worktree_id: "u64",
      path: "text",
      language_server_id: "u64",
      summary: "bytes",
    },
    key: ["project_id", "worktree_id", "path", "language_server_id"],
  },

  /** Keyed with the kind, unlike the reference. [projects 7.6] */
  worktree_settings: {
    columns: {
      project_id: "int",
      worktree_id: "u64",
      path: "text",
      kind: "int",
      content: "text",
      outside_worktree: "bool",
    },
    key: ["project_id", "worktree_id", "path", "kind"],
  },

  /** `server` is the host's own `LanguageServer` bytes. [projects 7.7] */
  language_servers: {
    columns: { project_id: "int", id: "u64", server: "bytes", capabilities: "text" },
    key: ["project_id", "id"],
  },

  /**
   * Threads of agents, by their owner: two users' threads may have the same id. [agents 1]
   * `details` is an `AgentThread` without what has a column.
   */
  agent_threads: {
    columns: {
      user_id: "int",
      id: "text",
      /** What its events and commands know it by. */
      number: "int",
      /** Empty without one. */
      host_id: "text",
      updated_at: "int",
      archived: "bool",
      deleted_at: "int?",
      /** Of the oldest event that is kept. */
      first_seq: "int",
      last_seq: "int",
      /** Messages completed up to this event have been folded. [agents R8] */
      folded_seq: "int",
      /** Events up to this one will not be sent again by their host. [agents R2] */
      confirmed_seq: "int",
      details: "bytes",
    },
    key: ["user_id", "id"],
  },

  /** `payload` is an `AgentEvent` with nothing but its payload. [agents R1] */
  agent_events: {
    columns: {
      thread: "int",
      seq: "int",
      event_id: "text",
      /** As the host said. */
      timestamp: "int",
      stored_at: "int",
      /** Number of the payload's field in `AgentEvent`. */
      kind: "int",
      payload: "bytes",
    },
    key: ["thread", "seq"],
  },

  /** `command` is an `AgentCommand`. [agents R7] */
  agent_commands: {
    columns: {
      thread: "int",
      /** Order in which they were taken. */
      ordinal: "int",
      user_id: "int",
      host_id: "text",
      command_id: "text",
      created_at: "int",
      /** `waiting`, `taken`, `failed`. */
      state: "text",
      /** Why it failed. */
      reason: "text",
      command: "bytes",
    },
    key: ["thread", "ordinal"],
  },

  /** Programs that run threads. */
  agent_hosts: {
    columns: { user_id: "int", host_id: "text", name: "text", seen_at: "int" },
    key: ["user_id", "host_id"],
  },

  /** What a device subscribed to: `thread_id` is empty for all threads. [agents R4] */
  agent_subscriptions: {
    columns: { user_id: "int", subscriber_id: "text", thread_id: "text", seen_at: "int" },
    key: ["user_id", "subscriber_id", "thread_id"],
  },

  /** How far a device has said that it has read. [agents R4] */
  agent_cursors: {
    columns: { user_id: "int", subscriber_id: "text", thread_id: "text", after_seq: "int" },
    key: ["user_id", "subscriber_id", "thread_id"],
  },
} as const satisfies Record<string, Table>;

/**
 * Tables that no actor owns: accounts, how they sign in, the starts of the server. Written at once by
 * the store's own methods, never through the journal.
 */
export const accountTables = {
  users: {
    columns: {
      id: "int",
      /** Unique without regard to case. */
      login: "text",
      name: "text?",
      avatar_url: "text?",
      admin: "bool",
      connected_once: "bool",
      metrics_id: "text",
      created_at: "int",
      email: "text?",
      /** Whether Zed takes the user for staff, whatever the settings say. */
      staff: "bool?",
      /** Since when nobody can sign in with the account. */
      disabled_at: "int?",
    },
    key: ["id"],
  },

  /** [transport 5.1] */
  access_tokens: {
    columns: {
      id: "int",
      user_id: "int",
      impersonator_id: "int?",
      hash: "text",
      created_at: "int",
      /** What its owner knows it by, as "Zed on Linux". */
      label: "text?",
      last_used_at: "int?",
    },
    key: ["id"],
  },

  /** Stored forms of passwords; an account without a row has none. */
  passwords: {
    columns: { user_id: "int", hash: "text", changed_at: "int" },
    key: ["user_id"],
  },

  /** Browsers that are signed in. */
  web_sessions: {
    columns: {
      hash: "text",
      user_id: "int",
      created_at: "int",
      expires_at: "int",
      /** What its owner knows it by, as "Firefox on Linux". */
      label: "text?",
    },
    key: ["hash"],
  },

  /** Links for choosing a password, each good once. */
  invitations: {
    columns: { hash: "text", user_id: "int", created_at: "int", expires_at: "int" },
    key: ["hash"],
  },

  /** Who somebody is at another service, as `github` or the address of an OIDC provider. */
  identities: {
    columns: { provider: "text", subject: "text", user_id: "int", created_at: "int" },
    key: ["provider", "subject"],
  },

  /** [transport 7.1] What the registry knows of a version beside its archive. */
  extension_versions: {
    columns: { extension_id: "text", version: "text", downloads: "int", yanked_at: "int?" },
    key: ["extension_id", "version"],
  },

  /** What operators did, and what was done in somebody else's name; rows are only added. */
  audit_entries: {
    columns: {
      id: "int",
      created_at: "int",
      /** `user`, `api token`, `command line`, `payment provider`. */
      actor_kind: "text",
      actor_id: "int?",
      actor_login: "text?",
      /** As `user.update`. */
      action: "text",
      /** An address, as `/users/4`. */
      target: "text?",
      /** What the target was called then. */
      target_name: "text?",
      /** Network address of who asked. */
      client_address: "text?",
      /** JSON object. */
      details: "text",
    },
    key: ["id"],
  },

  /** Who an account is to the payment provider. */
  billing_customers: {
    columns: { user_id: "int", customer_id: "text", created_at: "int" },
    key: ["user_id"],
  },

  /** What the payment provider has told of subscriptions. */
  billing_subscriptions: {
    columns: {
      id: "text",
      user_id: "int",
      status: "text",
      /** Name of the price in the settings; null for one that is not there. */
      plan: "text?",
      started_at: "int?",
      ends_at: "int?",
      cancels: "bool",
      /** When the provider said so: an older word changes nothing. */
      told_at: "int",
    },
    key: ["id"],
  },

  /** Keys of the server's own. */
  secrets: { columns: { name: "text", value: "bytes" }, key: ["name"] },

  /** One row per start of the server; the id is its epoch. [rooms 1.1] */
  servers: { columns: { id: "int", started_at: "int" }, key: ["id"] },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
export type AccountTableName = keyof typeof accountTables;

type Plain<T extends ColumnType> = T extends "int" ? number
  : T extends "int?" ? number | null
  : T extends "u64" ? bigint
  : T extends "u64?" ? bigint | null
  : T extends "text" ? string
  : T extends "text?" ? string | null
  : T extends "bool" ? boolean
  : T extends "bool?" ? boolean | null
  : T extends "bytes" ? Uint8Array
  : Uint8Array | null;

type PlainRow<Columns extends Readonly<Record<string, ColumnType>>> = {
  [C in keyof Columns]: Plain<Columns[C]>;
};

/** A row of one table, as actors write and read it. */
export type RowOf<T extends TableName> = {
  [C in keyof (typeof tables)[T]["columns"]]: (typeof tables)[T]["columns"][C] extends
    infer X extends ColumnType ? Plain<X> : never;
};

/** A row of one of the {@link accountTables}. */
export type AccountRowOf<T extends AccountTableName> = PlainRow<
  (typeof accountTables)[T]["columns"]
>;

/** Name of any table. */
export type AnyTableName = TableName | AccountTableName;

/** A row of any table. */
export type AnyRowOf<T extends AnyTableName> = T extends TableName ? RowOf<T>
  : T extends AccountTableName ? AccountRowOf<T>
  : never;
