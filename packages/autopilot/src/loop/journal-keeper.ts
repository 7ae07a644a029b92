import type { FailureLedger } from '../failures/failure-ledger.js';
import { EMPTY_JOURNAL, type JournalState, type Yield } from '../journal/journal-state.js';
import { callOptions } from '../ports/call-options.js';
import { holdingYields } from '../yields/reserve-memory.js';
import type { PublishedEvent } from './autopilot-event.js';
import type { AutopilotSettings } from './autopilot-options.js';

/** Reads what others have written into the journal, says that it was read, and writes what must last. */
export class JournalKeeper {
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  #journal: JournalState = EMPTY_JOURNAL;
  #loaded = false;
  #failuresTaken = false;
  /** What the last round knew of. */
  #knownYields: readonly Yield[] = [];

  constructor(settings: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    this.#settings = settings;
    this.#publish = publish;
  }

  /** As it was last read, without the yields that have ended. */
  get journal(): JournalState {
    return this.#journal;
  }

  isPinned(instance: { readonly instanceIdentifier: string; readonly modelKey: string }): boolean {
    const { instanceIdentifier, modelKey } = instance;
    return this.#journal.pins.some(
      ({ target }) => target === instanceIdentifier || target === modelKey,
    );
  }

  /** What had failed before the restart: once, and then nothing. */
  takeFailures(): FailureLedger | null {
    if (this.#failuresTaken || !this.#loaded) return null;
    this.#failuresTaken = true;
    return this.#journal.failures;
  }

  /** Whether a yield was added or grew since the last time. */
  async refresh(signal: AbortSignal): Promise<{ readonly yieldsChanged: boolean }> {
    await this.#read(signal);
    const known = this.#knownYields;
    this.#knownYields = this.#journal.yields;
    const bytesOf = (name: string): number => known.find((one) => one.name === name)?.bytes ?? 0;
    return { yieldsChanged: this.#knownYields.some((one) => one.bytes > bytesOf(one.name)) };
  }

  /** Goes on reading and confirming while the rounds wait for `work`, which may take minutes. */
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

  async #keepConfirming(over: AbortSignal): Promise<void> {
    const { clock, timings } = this.#settings;
    try {
      for (;;) {
        await clock.sleep(timings.observeIntervalMs, { signal: over });
        await this.#read(over);
      }
    } catch {
      // Over; or the journal can't be read, which the next round meets too and reports.
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { clock, journal, isProcessAlive } = this.#settings;
    let state = await journal.read(callOptions(signal, null));
    const yields = holdingYields(state.yields, clock.nowMs(), isProcessAlive);
    const ended = yields.length < state.yields.length;
    const unread = state.revision !== (state.acknowledged?.revision ?? 0);
    if (ended || unread) {
      state = await journal.update(
        (latest) => ({
          ...latest,
          yields: holdingYields(latest.yields, clock.nowMs(), isProcessAlive),
          acknowledged: {
            revision: latest.revision,
            processId: process.pid,
            atMs: clock.nowMs(),
          },
        }),
        callOptions(signal, null),
      );
    }
    this.#journal = state;
    this.#loaded = true;
    if (ended || unread) this.#publish({ type: 'journal-changed', journal: state });
  }

  /** Writes the ledger where it has changed. */
  async keepFailures(failures: FailureLedger, signal: AbortSignal): Promise<void> {
    if (JSON.stringify(failures) === JSON.stringify(this.#journal.failures)) return;
    this.#journal = await this.#settings.journal.update(
      (latest) => ({ ...latest, failures }),
      callOptions(signal, null),
    );
  }
}
