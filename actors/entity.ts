/** A cell with a life of its own, which the chart of machine.ts moves. [style A2] */
import { Cell } from "./cell.ts";
import { copied } from "./inbound.ts";
import { type LifeEvent, type LifePlan, startLife } from "./machine.ts";
import type { Inbound } from "./refs/mod.ts";

export abstract class Entity extends Cell {
  #tell!: (event: LifeEvent) => void;

  /** Starts the life: what a kind's constructor does last. */
  protected begin(plan: LifePlan): void {
    const { metrics, clock, log } = this.system;
    metrics.actors.inc();
    this.#tell = startLife(
      {
        ...plan,
        dispose: () => this.#dispose(plan),
        entered: (phase) => this.entered(phase),
        settled: () => this.settled(),
      },
      clock,
      (error) => log.error("{address} lost its chart: {error}", { address: this.address, error }),
    );
  }

  /** Nobody needs it: it closes, if it lives. */
  protected rest(): void {
    this.#tell({ type: "idle" });
  }

  /** What it stands for is gone: it closes, whatever it is at. */
  protected finish(): void {
    this.#tell({ type: "gone" });
  }

  protected override crashed(): void {
    this.generation++;
    const mayRestart = this.system.supervisor.mayRestart(this.address);
    this.#tell({ type: "crashed", mayRestart });
  }

  /** The message for the turn that handles it: a copy of its bytes if that turn has to wait. */
  protected keep(inbound: Inbound): Inbound {
    return this.ready ? inbound : copied(inbound);
  }

  #dispose(plan: LifePlan): void {
    plan.dispose();
    this.system.supervisor.forget(this.address);
    this.system.metrics.actors.dec();
  }
}
