import type { RuntimeInstance } from '../../ports/runtime-port.js';
import type { LoadFailure } from '../../failures/load-failure.js';
import type { RunOutcome, RunReport } from './run-report.js';

/** The steps of a run that were carried out so far. See `RunReport` for the fields. */
export class RunRecord {
  first: RunReport['first'] | null = null;
  loaded: readonly RuntimeInstance[] = [];
  /** Instances that were unloaded, and not loaded again yet. */
  unloaded: readonly RuntimeInstance[] = [];
  restored: readonly RuntimeInstance[] = [];
  readonly forced: string[] = [];
  readonly failures: LoadFailure[] = [];

  /**
   * The outcome of a run that carried out its last decision. A model that a later decision loaded again after
   * a failure then counts as restored.
   */
  conclude(): RunOutcome {
    // After a failure with a longer context than was needed, the decided model is loaded, and not an earlier one restored.
    if (this.failures.some(({ hadRoom = false }) => !hadRoom)) {
      const { back, loaded, unloaded } = separateReturned(this.loaded, this.unloaded);
      if (back.length > 0) {
        this.restored = [...this.restored, ...back];
        this.loaded = loaded;
        this.unloaded = unloaded;
        return loaded.length > 0 ? 'switched' : 'rolled-back';
      }
    }
    return this.loaded.length > 0 || this.unloaded.length > 0 ? 'switched' : 'kept';
  }

  report(
    outcome: RunOutcome,
    last: RunReport['last'],
    busy: readonly string[],
    serving: string | null = last.selection.chosen?.instanceIdentifier ?? null,
  ): RunReport {
    return {
      outcome,
      first: this.first ?? last,
      last,
      instanceIdentifier: serving ?? this.restored[0]?.instanceIdentifier ?? null,
      loaded: this.loaded,
      unloaded: this.unloaded,
      restored: this.restored,
      forced: this.forced,
      failures: this.failures,
      busy,
    };
  }
}

/** Moves the models that were unloaded and later loaded again from `loaded` and `unloaded` to `back`. */
function separateReturned(
  loaded: readonly RuntimeInstance[],
  unloaded: readonly RuntimeInstance[],
): Record<'back' | 'loaded' | 'unloaded', readonly RuntimeInstance[]> {
  const gone = new Set(unloaded.map((one) => one.modelKey));
  const back = loaded.filter((one) => gone.has(one.modelKey));
  const returned = new Set(back.map((one) => one.modelKey));
  return {
    back,
    loaded: loaded.filter((one) => !back.includes(one)),
    unloaded: unloaded.filter((one) => !returned.has(one.modelKey)),
  };
}
