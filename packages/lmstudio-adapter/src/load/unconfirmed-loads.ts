import type { Connection } from '../wire/connection.js';
import { checkAbandoned } from './clean-up-load.js';
import type { UnconfirmedLoad } from './load-types.js';

/** Delay before the second check. Each later delay is twice as long, up to `LONGEST_DELAY_MS`. */
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 10_000;

/** After this time a copy with the identifier is kept, because the user may have loaded the same model by hand. */
const WATCHED_MS = 10 * 60_000;

interface Entry extends UnconfirmedLoad {
  readonly watchUntilMs: number;
  stop: () => void;
}

/**
 * The abandoned loads whose end LM Studio has not confirmed. Each load is watched for ten minutes. A copy that
 * appears and is idle is unloaded. The watch does not keep the process alive.
 */
export class UnconfirmedLoads {
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(private readonly connection: Connection) {}

  /** The loads that are still unconfirmed. */
  list(): readonly UnconfirmedLoad[] {
    return [...this.#entries.values()].map(
      ({ modelKey, instanceIdentifier, deviceIdentifier }) => ({
        modelKey,
        instanceIdentifier,
        deviceIdentifier,
      }),
    );
  }

  has(instanceIdentifier: string): boolean {
    return this.#entries.has(instanceIdentifier);
  }

  /** Adds an abandoned load and starts to watch for its copy. */
  add(load: UnconfirmedLoad): void {
    this.remove(load.instanceIdentifier);
    const entry: Entry = {
      ...load,
      watchUntilMs: this.connection.timers.nowMs() + WATCHED_MS,
      stop: () => undefined,
    };
    this.#entries.set(load.instanceIdentifier, entry);
    this.#schedule(entry, FIRST_DELAY_MS);
  }

  /** Ends the watch for a copy, because the copy is gone or in use, or a new load has its identifier. */
  remove(instanceIdentifier: string): void {
    this.#entries.get(instanceIdentifier)?.stop();
    this.#entries.delete(instanceIdentifier);
  }

  /** Ends every watch. `list` still names the loads. */
  stop(): void {
    this.#stopped = true;
    for (const { stop } of this.#entries.values()) stop();
  }

  #schedule(entry: Entry, delayMs: number): void {
    if (this.#stopped) return;
    entry.stop = this.connection.timers.inBackground(delayMs, () => {
      void this.#check(entry, Math.min(2 * delayMs, LONGEST_DELAY_MS));
    });
  }

  async #check(entry: Entry, nextDelayMs: number): Promise<void> {
    const isWatched = (): boolean => this.#entries.get(entry.instanceIdentifier) === entry;
    const finding = await checkAbandoned(this.connection, entry, isWatched);
    if (!isWatched()) return;
    // When LM Studio ends, it unloads its models.
    const isOver =
      finding === 'removed' ||
      finding === 'server-gone' ||
      this.connection.timers.nowMs() >= entry.watchUntilMs;
    if (isOver) this.remove(entry.instanceIdentifier);
    else this.#schedule(entry, nextDelayMs);
  }
}
