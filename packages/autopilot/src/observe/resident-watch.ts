import type { Resident } from '@mai/selector';
import { isSameData } from '../same-data.js';
import type { PublishedEvent } from '../events/autopilot-event.js';
import type { RunOutcome } from '../switch/report/run-report.js';
import type { AutopilotSettings } from '../autopilot-options.js';

/** Compares the residents of two rounds, to detect an expired idle time and duplicates. */
export class ResidentWatch {
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  #wanted = true;
  /** Whether a model is wanted only because callers have asked since the idle time has expired. */
  #onlyForCallers = false;
  #hadOurs = false;
  #released = false;
  #duplicates: readonly Duplicate[] = [];

  constructor(settings: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    this.#settings = settings;
    this.#publish = publish;
  }

  /** Whether a model should be loaded when no model is resident; false after an idle time has expired. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Whether a model should be loaded even if no caller waits. */
  get wantedWithoutCallers(): boolean {
    return this.#wanted && !this.#onlyForCallers;
  }

  /** Whether our last instance was unloaded for lack of memory, and no instance has been loaded since. */
  get released(): boolean {
    return this.#released;
  }

  /** @param waiting - how many callers wait for a lease. */
  observe(residents: readonly Resident[], waiting: number): void {
    const ours = residents.some((one) => !one.foreign);
    if (this.#settings.idle === 'release') {
      if (ours) this.#onlyForCallers = false;
      else if (waiting > 0 && !this.#wanted) this.#onlyForCallers = true;
      if (ours || waiting > 0) this.#wanted = true;
      else if (this.#hadOurs && this.#wanted) {
        this.#wanted = false;
        this.#publish({ type: 'idle' });
      }
    }
    this.#hadOurs = ours;
    if (ours) this.#released = false;
    const duplicates = findDuplicates(residents);
    if (!isSameData(duplicates, this.#duplicates)) {
      this.#duplicates = duplicates;
      for (const duplicate of duplicates) this.#publish({ type: 'duplicates', ...duplicate });
    }
  }

  /** Call after a switch. A null outcome: a load was aborted, because memory ran out. */
  switched(outcome: RunOutcome | null): void {
    this.forget();
    if (outcome === null || outcome === 'released') this.#released = true;
    // The load was cancelled because its callers have left.
    if (outcome === 'cancelled' && this.#onlyForCallers) this.#wanted = false;
  }

  /** Call after a switch or a fault: an instance that is then gone was not unloaded for its idle time. */
  forget(): void {
    this.#hadOurs = false;
  }
}

/** A model that is loaded more than once. */
interface Duplicate {
  readonly modelKey: string;
  readonly instanceIdentifiers: readonly string[];
}

function findDuplicates(residents: readonly Resident[]): readonly Duplicate[] {
  const copies = new Map<string, string[]>();
  for (const { modelKey, instanceIdentifier } of residents) {
    copies.set(modelKey, [...(copies.get(modelKey) ?? []), instanceIdentifier]);
  }
  return [...copies]
    .filter(([, identifiers]) => identifiers.length > 1)
    .map(([modelKey, instanceIdentifiers]) => ({ modelKey, instanceIdentifiers }));
}
