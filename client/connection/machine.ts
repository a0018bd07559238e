/** The life of a client's connection: its statuses, and what leads from one to another. */
import { assign, createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import { ConnectError, StoredLoginRefusedError, UpgradeRequiredError } from "../errors.ts";
import { type Delay, INITIAL_DELAY } from "./backoff.ts";
import type { Status } from "./status.ts";

/** What may happen to a connection. */
export type ConnectionEvent =
  /** Sign in, without connecting where the server has accounts of 2026. [transport 3.4.1] */
  | { readonly type: "signIn"; readonly tryStore: boolean }
  /** Sign in and connect. [transport 3.3] [transport 3.4.4] */
  | { readonly type: "connect"; readonly tryStore: boolean }
  /** The account is one that connects by itself. [transport 3.4.3] */
  | { readonly type: "autoConnect" }
  | { readonly type: "signOut" }
  /** Give the connection up, as if it were lost. [transport 3.8.3] */
  | { readonly type: "reconnect" }
  /** The connection ended by itself. */
  | { readonly type: "lost"; readonly reason: string }
  /** The connection was ended on this side. [transport 3.5.5] */
  | { readonly type: "ended" };

/** A connection that has its `Hello`. */
export type Opened = Omit<Extract<Status, { name: "Connected" }>, "name">;

/** What the chart needs of its connection. */
export interface ConnectionLife {
  /** Whether the credentials in memory are used without a check, so that nothing authenticates. */
  isKnown(): boolean;
  /** Whether to sign in means to connect, as in 2025. */
  connectsAtOnce(): boolean;
  /** Finds credentials, and checks them. @throws {Error} there are none, or they cannot be checked. */
  authenticate(tryStore: boolean, signal: AbortSignal, mayAsk: boolean): Promise<void>;
  /** Makes a connection and waits for its `Hello`. @throws {ConnectError} */
  open(signal: AbortSignal): Promise<Opened>;
  /** Ends the connection, if there is one. */
  tearDown(): void;
  /** What to wait after an attempt that failed. */
  delayAfter(delay: number): Delay;
  now(): number;
  entered(status: Status): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
}

interface Context {
  readonly life: ConnectionLife;
  /** Whether the goal of what goes on is a connection, not only a login. */
  readonly connects: boolean;
  /** Whether this is the way from the beginning, not from a loss or a failure. [transport 3.3.1] */
  readonly isFresh: boolean;
  /** Whether attempts follow each other until one succeeds. [transport 3.5.1] */
  readonly isRepeating: boolean;
  readonly tryStore: boolean;
  /** Whether somebody wanted this attempt, who can sign in. */
  readonly mayAsk: boolean;
  readonly delay: number;
  readonly wait: number;
  readonly error: Error;
  readonly opened: Opened | undefined;
  readonly reason: string;
}

const parts = setup({
  types: {
    context: {} as Context,
    events: {} as ConnectionEvent,
    input: {} as ConnectionLife,
  },
  actors: {
    authenticate: fromPromise<void, Pick<Context, "life" | "tryStore" | "mayAsk">>((
      { input: { life, tryStore, mayAsk }, signal },
    ) => life.authenticate(tryStore, signal, mayAsk)),
    open: fromPromise<Opened, ConnectionLife>(({ input, signal }) => input.open(signal)),
  },
  guards: {
    isKnown: ({ context }) => context.life.isKnown(),
    connects: ({ context }) => context.connects || context.life.connectsAtOnce(),
    connectsFresh: ({ context }) =>
      context.isFresh && (context.connects || context.life.connectsAtOnce()),
    isRepeating: ({ context }) => context.isRepeating,
    connectsAtOnce: ({ context }) => context.life.connectsAtOnce(),
    upgradeRequired: ({ event }) => errorOf(event) instanceof UpgradeRequiredError,
    personNeeded: ({ context, event }) =>
      !context.mayAsk && errorOf(event) instanceof StoredLoginRefusedError,
    storedLoginRefused: ({ event }) => errorOf(event) instanceof StoredLoginRefusedError,
  },
  actions: {
    enter: ({ context }, { name }: { name: Status["name"] }) =>
      context.life.entered(statusOf(name, context)),
    begin: assign(({ event }) => ({
      connects: event.type === "connect",
      isFresh: true,
      mayAsk: true,
      tryStore: "tryStore" in event && event.tryStore,
    })),
    beginAgain: assign(({ event, context }) => ({
      connects: context.isRepeating || event.type === "connect",
      isFresh: false,
      mayAsk: true,
      tryStore: "tryStore" in event && event.tryStore,
    })),
    beginOnTop: assign(({ event }) => ({
      connects: true,
      isFresh: true,
      mayAsk: true,
      tryStore: "tryStore" in event && event.tryStore,
    })),
    beginRepeating: assign(() => ({
      connects: true,
      isFresh: false,
      isRepeating: true,
      tryStore: true,
      mayAsk: false,
      delay: INITIAL_DELAY,
    })),
    goOn: assign({ mayAsk: false, tryStore: true }),
    withoutStore: assign({ tryStore: false }),
    fail: assign({ error: ({ event }) => errorOf(event) }),
    open: assign({
      opened: ({ event }) => (event as unknown as { output: Opened }).output,
      isRepeating: false,
    }),
    lose: assign({
      reason: ({ event }) => event.type === "lost" ? event.reason : "given up to connect again",
    }),
    planNext: assign(({ context, event }) => {
      const { wait, next } = context.life.delayAfter(context.delay);
      return { error: errorOf(event), wait, delay: next };
    }),
    tearDown: ({ context }) => context.life.tearDown(),
    forget: assign({ isRepeating: false, connects: false, opened: undefined }),
  },
  delays: { untilNext: ({ context }) => context.wait },
});

/** Signed in; an account of the staff goes on from here by itself. [transport 3.4.3] */
const resting = parts.createStateConfig({
  initial: "Resting",
  states: {
    Resting: { on: { autoConnect: { target: "Attaching" } } },
    Attaching: {
      invoke: {
        src: "open",
        input: ({ context }) => context.life,
        onDone: { actions: "open", target: "#connection.Connected" },
        onError: [
          { guard: "upgradeRequired", actions: "fail", target: "#connection.UpgradeRequired" },
          { actions: "fail", target: "#connection.ConnectionError" },
        ],
      },
    },
  },
});

const connectionMachine = parts.createMachine({
  id: "connection",
  context: ({ input }) => ({
    life: input,
    connects: false,
    isFresh: true,
    isRepeating: false,
    tryStore: true,
    mayAsk: true,
    delay: INITIAL_DELAY,
    wait: 0,
    error: new ConnectError("Not connected"),
    opened: undefined,
    reason: "",
  }),
  initial: "SignedOut",
  on: {
    signOut: { target: ".SignedOut" },
    reconnect: { actions: "lose", target: ".ConnectionLost" },
  },
  states: {
    SignedOut: {
      entry: ["forget", { type: "enter", params: { name: "SignedOut" } }],
      on: {
        signIn: { actions: "begin", target: "Authenticating" },
        connect: { actions: "begin", target: "Authenticating" },
        signOut: {},
        reconnect: {},
      },
    },
    /** The stored login was refused: signed out, and at once a new one. [transport 3.3.5] */
    LoginRefused: {
      entry: [{ type: "enter", params: { name: "SignedOut" } }, "withoutStore"],
      always: { target: "Authenticating" },
    },
    Authenticating: {
      entry: { type: "enter", params: { name: "Authenticating" } },
      invoke: {
        src: "authenticate",
        input: ({ context: { life, tryStore, mayAsk } }) => ({ life, tryStore, mayAsk }),
        onDone: [{ guard: "connects", target: "Connecting" }, { target: "Authenticated" }],
        onError: [
          { guard: "connectsAtOnce", actions: "fail", target: "ConnectionError" },
          { actions: "fail", target: "AuthenticationError" },
        ],
      },
      on: {
        signIn: { actions: "beginAgain", target: "Reauthenticating" },
        connect: { actions: "beginAgain", target: "Reauthenticating" },
      },
    },
    Authenticated: {
      entry: { type: "enter", params: { name: "Authenticated" } },
      ...resting,
      on: {
        signIn: { actions: "beginAgain", target: "Reauthenticating" },
        connect: { actions: "beginOnTop", target: "Reauthenticating" },
      },
    },
    AuthenticationError: {
      entry: { type: "enter", params: { name: "AuthenticationError" } },
      on: {
        signIn: { actions: "beginAgain", target: "Reauthenticating" },
        connect: { actions: "beginAgain", target: "Reauthenticating" },
      },
    },
    Connecting: {
      entry: { type: "enter", params: { name: "Connecting" } },
      invoke: {
        src: "open",
        input: ({ context }) => context.life,
        onDone: { actions: "open", target: "Connected" },
        onError: [
          { guard: "upgradeRequired", actions: "fail", target: "UpgradeRequired" },
          { guard: "storedLoginRefused", actions: "fail", target: "LoginRefused" },
          { actions: "fail", target: "ConnectionError" },
        ],
      },
    },
    ConnectionError: {
      entry: { type: "enter", params: { name: "ConnectionError" } },
      on: {
        signIn: { actions: "beginAgain", target: "Again" },
        connect: { actions: "beginAgain", target: "Again" },
      },
    },
    Connected: {
      entry: { type: "enter", params: { name: "Connected" } },
      exit: "tearDown",
      on: {
        lost: { actions: "lose", target: "ConnectionLost" },
        ended: { target: "SignedOut" },
      },
    },
    ConnectionLost: {
      entry: ["beginRepeating", { type: "enter", params: { name: "ConnectionLost" } }],
      always: { target: "Again" },
    },
    /** Where no login is to be checked, none is: [transport 3.3.2] */
    Again: {
      always: [
        { guard: "isKnown", target: "Reconnecting" },
        { target: "Reauthenticating" },
      ],
    },
    Reauthenticating: {
      entry: { type: "enter", params: { name: "Reauthenticating" } },
      invoke: {
        src: "authenticate",
        input: ({ context: { life, tryStore, mayAsk } }) => ({ life, tryStore, mayAsk }),
        onDone: [
          { guard: "connectsFresh", target: "Connecting" },
          { guard: "connects", target: "Reconnecting" },
          { target: "Reauthenticated" },
        ],
        onError: [
          { guard: "personNeeded", actions: "fail", target: "SignedOut" },
          { guard: "isRepeating", actions: "planNext", target: "ReconnectionError" },
          { guard: "connectsAtOnce", actions: "fail", target: "ConnectionError" },
          { actions: "fail", target: "AuthenticationError" },
        ],
      },
      on: {
        signIn: { actions: "beginAgain", target: "Reauthenticating", reenter: true },
        connect: { actions: "beginAgain", target: "Reauthenticating", reenter: true },
      },
    },
    Reauthenticated: {
      entry: { type: "enter", params: { name: "Reauthenticated" } },
      ...resting,
      on: {
        signIn: { actions: "beginAgain", target: "Reauthenticating" },
        connect: { actions: "beginAgain", target: "Reauthenticating" },
      },
    },
    Reconnecting: {
      entry: { type: "enter", params: { name: "Reconnecting" } },
      invoke: {
        src: "open",
        input: ({ context }) => context.life,
        onDone: { actions: "open", target: "Connected" },
        onError: [
          { guard: "upgradeRequired", actions: "fail", target: "UpgradeRequired" },
          // Nobody is there to sign in: to be signed out ends the attempts. [transport 3.1]
          { guard: "storedLoginRefused", actions: "fail", target: "RefusedAgain" },
          { guard: "isRepeating", actions: "planNext", target: "ReconnectionError" },
          { actions: "fail", target: "ConnectionError" },
        ],
      },
    },
    RefusedAgain: {
      always: [{ guard: "isRepeating", target: "SignedOut" }, { target: "LoginRefused" }],
    },
    ReconnectionError: {
      entry: { type: "enter", params: { name: "ReconnectionError" } },
      after: { untilNext: { actions: "goOn", target: "Again" } },
      on: {
        signIn: { actions: "beginAgain", target: "Again" },
        connect: { actions: "beginAgain", target: "Again" },
      },
    },
    UpgradeRequired: {
      entry: ["forget", { type: "enter", params: { name: "UpgradeRequired" } }],
      on: { reconnect: {} },
    },
  },
});

function errorOf(event: unknown): Error {
  const { error } = event as { error: unknown };
  return error instanceof Error ? error : new ConnectError(String(error));
}

function statusOf(name: Status["name"], { error, opened, reason, life, wait }: Context): Status {
  switch (name) {
    case "Connected":
      return { name, ...opened as Opened };
    case "ConnectionLost":
      return { name, reason };
    case "ReconnectionError":
      return { name, error, nextReconnection: life.now() + wait };
    case "UpgradeRequired":
    case "AuthenticationError":
    case "ConnectionError":
      return { name, error };
    default:
      return { name };
  }
}

/** A running chart. */
export interface ConnectionChart {
  /** Once the chart has been stopped, nothing that happens leads anywhere. */
  send(event: ConnectionEvent): void;
  /** Ends it, with its attempts and timers. */
  stop(): void;
}

/** Starts the chart of one client, signed out. */
export function startConnectionChart(
  life: ConnectionLife,
  clock: Clock,
  failed: (error: unknown) => void,
): ConnectionChart {
  const actor = createActor(connectionMachine, { input: life, clock });
  actor.subscribe({ next: () => life.settled(), error: failed });
  actor.start();
  return {
    send: (event) => {
      if (actor.getSnapshot().status === "active") actor.send(event);
    },
    stop: () => void actor.stop(),
  };
}

/** A way from one status to another, as {@link statusEdges} names them. */
export type StatusEdge = readonly [from: string, to: string, cause: string];

/** All ways of the chart, for its picture in docs/CLIENT.md and for tests. */
export function statusEdges(): StatusEdge[] {
  const edges: StatusEdge[] = [];
  const root = connectionMachine.root;
  for (const [name, node] of Object.entries(root.states)) {
    for (const part of [node, ...Object.values(node.states)]) {
      for (const transition of part.transitions.values()) {
        for (const { target, eventType } of transition) {
          for (const to of target ?? []) {
            if (to.parent === root) edges.push([name, to.key, causeOf(eventType)]);
          }
        }
      }
      for (const { target } of part.always ?? []) {
        for (const to of target ?? []) edges.push([name, to.key, "at once"]);
      }
    }
  }
  return edges;
}

function causeOf(eventType: string): string {
  if (eventType.startsWith("xstate.done")) return "done";
  if (eventType.startsWith("xstate.error")) return "failed";
  if (eventType.startsWith("xstate.after")) return "after the delay";
  return eventType;
}
