import { isNamedBy } from '../instances/ownership.js';
import { isSameData } from '../same-data.js';
import type { FailureLedger } from '../failures/failure-ledger.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import { callOptions } from '../ports/call-options.js';
import { holdingYields } from './holding-yields.js';
import { EMPTY_JOURNAL, type JournalState, type Yield } from './journal-state.js';

/** Reads the journal, acknowledges the changes of other processes, and writes the failures. */
export class JournalReader {
  readonly #settings: AutopilotSettings;
  readonly #onChange: (journal: JournalState) => void;
  #journal: JournalState = EMPTY_JOURNAL;
  #loaded = false;
  #failuresTaken = false;
  #changed = false;
  /** The yields of the last round. */
  #knownYields: readonly Yield[] = [];

  /** @param onChange Called when another process changed pins or yields, or a yield has ended. */
  constructor(settings: AutopilotSettings, onChange: (journal: JournalState) => void) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  /** The journal as last read, without the yields that have ended. */
  get journal(): JournalState {
    return this.#journal;
  }

  isPinned(instance: Parameters<typeof isNamedBy>[1]): boolean {
    return this.#journal.pins.some(({ target }) => isNamedBy(target, instance));
  }

  /** The failures from before the restart at the first call; null at later calls. */
  takeFailures(): FailureLedger | null {
    if (this.#failuresTaken || !this.#loaded) return null;
    this.#failuresTaken = true;
    return this.#journal.failures;
  }

  /**
   * Reads the journal. Resolves to whether it has changed since the last round, and whether a yield was
   * added or has grown.
   */
  async refresh(
    signal: AbortSignal,
  ): Promise<{ readonly changed: boolean; readonly yieldsChanged: boolean }> {
    await this.#read(signal);
    const changed = this.#changed;
    const known = this.#knownYields;
    this.#changed = false;
    this.#knownYields = this.#journal.yields;
    const bytesOf = (name: string): number => known.find((one) => one.name === name)?.bytes ?? 0;
    const yieldsChanged = this.#knownYields.some((one) => one.bytes > bytesOf(one.name));
    return { changed, yieldsChanged };
  }

  /**
   * Reads and acknowledges the journal until `work` ends. `work` may take minutes, and no round starts
   * meanwhile.
   */
  async confirmDuring<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const confirming = this.#keepConfirming(over.signal);
    try {
      return await work;
    } finally {
      over.abort();
      await confirming;
    }
  }

  /** Writes the failures if they have changed. */
  async keepFailures(failures: FailureLedger, signal: AbortSignal): Promise<void> {
    if (isSameData(failures, this.#journal.failures)) return;
    this.#journal = await this.#settings.journal.update(
      (latest) => ({ ...latest, failures }),
      callOptions(signal, null),
    );
  }

  async #keepConfirming(over: AbortSignal): Promise<void> {
    const { clock, timings } = this.#settings;
    try {
      for (;;) {
        await clock.sleep(timings.observeIntervalMs, { signal: over });
        await this.#read(over);
      }
    } catch {
      // `over` has fired, or the journal cannot be read. The next round reports an unreadable journal.
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { clock, journal, isProcessAlive } = this.#settings;
    const read = await journal.read(callOptions(signal, null));
    const yields = holdingYields(read.yields, clock.nowMs(), isProcessAlive);
    const ended = yields.length < read.yields.length;
    const unread = read.revision !== (read.acknowledged?.revision ?? 0);
    // Apply the change before the acknowledgement, because the writer relies on the acknowledgement.
    this.#journal = { ...read, yields };
    this.#loaded = true;
    if (ended || unread) {
      this.#journal = await journal.update(
        (latest) => ({
          ...latest,
          yields: holdingYields(latest.yields, clock.nowMs(), isProcessAlive),
          acknowledged: {
            // `latest` may have a newer change, which is not applied yet. The next reading acknowledges that
            // change.
            revision: read.revision,
            processId: process.pid,
            atMs: clock.nowMs(),
          },
        }),
        callOptions(signal, null),
      );
    }
    if (!ended && !unread) return;
    this.#changed = true;
    this.#onChange(this.#journal);
  }
}
