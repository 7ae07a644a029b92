import type { Clock } from '../../ports/clock.js';
import type { Lane } from './lane.js';
import type { SchedulerLimits } from '../limits.js';

/** The use of a resident, which outlasts its lanes for some seconds. */
interface Use {
  /** When the present turn of the resident began. */
  turnStartedMs: number;
  lastEndMs: number;
}

/** A resident counts as in use for this time after its last request. */
const RECENT_MS = 5000;

/** Which residents are in use, and how long each may be kept from requests that need its memory. */
export class ResidentUse {
  readonly #clock: Clock;
  readonly #limits: SchedulerLimits;
  readonly #lanes: ReadonlySet<Lane>;
  readonly #uses = new Map<string, Use>();

  /** @param lanes - the lanes that have a lease now. The owner changes the set. */
  constructor(clock: Clock, limits: SchedulerLimits, lanes: ReadonlySet<Lane>) {
    this.#clock = clock;
    this.#limits = limits;
    this.#lanes = lanes;
  }

  /** A lane of a resident was opened, or a request has begun or ended on it. */
  touch(identifier: string): void {
    const nowMs = this.#clock.monotonicMs();
    const use = this.#uses.get(identifier);
    if (use === undefined) this.#uses.set(identifier, { turnStartedMs: nowMs, lastEndMs: nowMs });
    else {
      const goesOn = nowMs - use.lastEndMs < RECENT_MS || this.#isLeased(identifier);
      if (!goesOn) use.turnStartedMs = nowMs;
      use.lastEndMs = nowMs;
    }
    // Called twice for each request, and most machines use one resident.
    if (this.#uses.size > 1) this.#forgetOld(nowMs);
  }

  #forgetOld(nowMs: number): void {
    for (const [other, { lastEndMs }] of this.#uses) {
      if (nowMs - lastEndMs >= RECENT_MS && !this.#isLeased(other)) this.#uses.delete(other);
    }
  }

  /** The residents of the list that are in use, or were in use a few seconds ago. */
  inUse(identifiers: readonly string[]): readonly string[] {
    const nowMs = this.#clock.monotonicMs();
    return identifiers.filter((identifier) => {
      const use = this.#uses.get(identifier);
      const isRecent = use !== undefined && nowMs - use.lastEndMs < RECENT_MS;
      return isRecent || this.#isLeased(identifier);
    });
  }

  /**
   * How long residents are kept for their own requests while others have waited since `sinceMs`. 0 where each has been
   * idle for `quietMs`, or has had its turn.
   */
  turnLeftMs(identifiers: readonly string[], sinceMs: number, passOverMs: number): number {
    const nowMs = this.#clock.monotonicMs();
    const left = identifiers.map((identifier) => {
      const use = this.#uses.get(identifier);
      if (use === undefined) return 0;
      const turn = Math.max(use.turnStartedMs, sinceMs) + passOverMs - nowMs;
      const isRunning = [...this.#lanes].some(
        ({ lease, running }) => running > 0 && lease.instanceIdentifier === identifier,
      );
      const quiet = isRunning ? Infinity : use.lastEndMs + this.#limits.quietMs - nowMs;
      return Math.min(turn, quiet);
    });
    return Math.max(0, ...left);
  }

  /** Forgets the use of residents that are about to be unloaded. */
  forget(identifiers: readonly string[]): void {
    for (const identifier of identifiers) this.#uses.delete(identifier);
  }

  #isLeased(identifier: string): boolean {
    for (const { lease } of this.#lanes) if (lease.instanceIdentifier === identifier) return true;
    return false;
  }
}
