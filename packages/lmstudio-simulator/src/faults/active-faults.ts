import type { Fault, FaultType } from './fault.js';
import { assertFault } from './fault-schema.js';

/** A fault in force. */
export interface ActiveFault {
  /** The fault as it was injected. */
  readonly fault: Fault;
  /** Number of times that the fault has happened. */
  readonly hits: number;
  /** Ends the fault. Its effects so far are not undone. */
  clear(): void;
}

type FaultOf<T extends FaultType> = Extract<Fault, { readonly type: T }>;

/** The model and the endpoint that a fault may affect. A key that is left out is not compared. */
export interface FaultTarget {
  /** The model key without a variant; `null`: no model. A fault that names no model affects all. */
  readonly modelKey?: unknown;
  /** The endpoint; `null`: no endpoint. A fault that names no endpoint affects all. */
  readonly endpoint?: string | null;
}

/** The faults in force. Where several faults match, the last injected fault happens. */
export class ActiveFaults {
  readonly #active: { fault: Fault; hits: number }[] = [];

  /** @throws SimulatorError `FAULT_INVALID`. */
  inject(fault: Fault): ActiveFault {
    assertFault(fault);
    const entry = { fault, hits: 0 };
    this.#active.push(entry);
    return {
      fault,
      get hits() {
        return entry.hits;
      },
      clear: () => this.#remove(entry),
    };
  }

  clear(): void {
    this.#active.length = 0;
  }

  /** The fault of this type that matches, counted as one hit; `null` where none matches. */
  trigger<T extends FaultType>(
    type: T,
    matches: (fault: FaultOf<T>) => boolean = () => true,
  ): FaultOf<T> | null {
    for (const entry of this.#active.toReversed()) {
      const fault = entry.fault;
      if (!isOfType(fault, type) || !matches(fault)) continue;
      entry.hits++;
      if (fault.times !== undefined && entry.hits >= fault.times) this.#remove(entry);
      return fault;
    }
    return null;
  }

  /** Like `trigger`, but only for faults that affect this model and this endpoint. */
  triggerFor<T extends FaultType>(type: T, target: FaultTarget): FaultOf<T> | null {
    return this.trigger(type, (fault) => affects(fault, target));
  }

  #remove(entry: { fault: Fault; hits: number }): void {
    const index = this.#active.indexOf(entry);
    if (index >= 0) this.#active.splice(index, 1);
  }
}

function affects(fault: Fault, target: FaultTarget): boolean {
  const endpoint = 'endpoint' in fault ? fault.endpoint : undefined;
  return (
    (target.modelKey === undefined ||
      fault.modelKey === undefined ||
      fault.modelKey === target.modelKey) &&
    (target.endpoint === undefined || endpoint === undefined || endpoint === target.endpoint)
  );
}

function isOfType<T extends FaultType>(fault: Fault, type: T): fault is FaultOf<T> {
  return fault.type === type;
}
