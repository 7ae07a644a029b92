/** Observed time after which earlier observations count half. */
const HALF_LIFE_MS = 1_800_000;
/** A longer gap between two observations does not count. */
const GAP_MS = 60_000;

/** Learns how long one has to wait until a resident is idle. */
export class IdleWait {
  #lastAtMs = 0;
  #busyForMs = 0;
  #observedMs = 0;
  /**
   * At each moment of a busy period, some time is left until the period ends. This is the sum of these times over all moments, an
   * integral, so its unit is milliseconds squared.
   */
  #waitedMs2 = 0;
  #busyMs = 0;
  /** The number of busy periods that have ended. */
  #ended = 0;

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
    this.#ended *= keep;
    if (!busy) {
      if (this.#busyForMs > 0) this.#ended += 1;
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
   * The expected time until a busy resident is idle, where busy periods end at a constant rate: the time that was busy, for
   * each period that has ended. So a period that lasts long makes the forecast longer.
   *
   * @param answerMs - the usual time of an answer, in milliseconds. It counts like one period that has ended.
   */
  whenBusyMs(answerMs: number): number {
    return (answerMs + this.#busyMs) / (1 + this.#ended);
  }
}
