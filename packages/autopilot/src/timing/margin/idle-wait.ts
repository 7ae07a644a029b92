/** Observed time after which earlier observations count half. */
const HALF_LIFE_MS = 1_800_000;
/** A longer gap between two observations does not count. */
const GAP_MS = 60_000;

/** Learns how long one has to wait until a resident is idle. */
export class IdleWait {
  #lastAtMs = 0;
  #busyForMs = 0;
  #observedMs = 0;
  /** The wait from a moment to the end of its busy period, added up over all busy moments; milliseconds squared. */
  #waitedMs2 = 0;
  #busyMs = 0;

  observe(atMs: number, busy: boolean): void {
    const elapsedMs = atMs - this.#lastAtMs;
    this.#lastAtMs = atMs;
    if (elapsedMs <= 0 || elapsedMs > GAP_MS) {
      this.#busyForMs = 0;
      return;
    }
    const keep = 0.5 ** (elapsedMs / HALF_LIFE_MS);
    this.#observedMs = keep * this.#observedMs + elapsedMs;
    this.#waitedMs2 *= keep;
    this.#busyMs *= keep;
    if (!busy) {
      this.#busyForMs = 0;
      return;
    }
    // The elapsed time adds to the wait of each earlier moment of the busy period.
    this.#waitedMs2 += elapsedMs * (this.#busyForMs + elapsedMs / 2);
    this.#busyForMs += elapsedMs;
    this.#busyMs += elapsedMs;
  }

  /** The expected wait of a switch that is due at any moment. */
  get expectedMs(): number {
    return this.#observedMs === 0 ? 0 : this.#waitedMs2 / this.#observedMs;
  }

  /**
   * The expected wait at a busy moment.
   *
   * @param answerMs - the usual time of an answer, in milliseconds. It counts like one answer that was observed, so that the
   *   first waits are estimated, too.
   */
  whenBusyMs(answerMs: number): number {
    return (this.#waitedMs2 + answerMs ** 2) / (this.#busyMs + answerMs);
  }
}
