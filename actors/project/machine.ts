/** The life of a shared project. Its data changes in the turns of its room. [design 1.2] */
import { assign, createActor, setup } from "xstate";

export type ProjectEvent =
  | { readonly type: "project.host_lost" }
  | { readonly type: "project.host_returned" }
  | { readonly type: "project.ended" };

/** `shared` with its host there, `host away` in its grace, `ended` for good. */
export type ProjectPhase = "shared" | "host away" | "ended";

const projectMachine = setup({
  types: {
    context: {} as { hostReturns: number },
    events: {} as ProjectEvent,
  },
  actions: { countReturn: assign({ hostReturns: ({ context }) => context.hostReturns + 1 }) },
}).createMachine({
  id: "project",
  initial: "shared",
  context: { hostReturns: 0 },
  on: { "project.ended": { target: ".ended" } },
  states: {
    "shared": { on: { "project.host_lost": { target: "host away" } } },
    "host away": {
      on: { "project.host_returned": { target: "shared", actions: "countReturn" } },
    },
    "ended": { type: "final" },
  },
});

/** Starts the chart of one project; `entered` hears of each phase. */
export function startProjectLife(
  initial: "shared" | "host away",
  entered: (phase: ProjectPhase) => void,
): (event: ProjectEvent) => void {
  const actor = createActor(projectMachine);
  actor.subscribe({
    next: (snapshot) => entered(snapshot.value as ProjectPhase),
    // Nothing of the chart can fail; an error here is a bug that must not float.
    error: (error) => {
      throw error;
    },
  });
  actor.start();
  if (initial === "host away") actor.send({ type: "project.host_lost" });
  return (event) => actor.send(event);
}
