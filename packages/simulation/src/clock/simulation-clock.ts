import type { Clock } from '@mai/autopilot';
import { AlarmQueue, type Due } from './alarm-queue.js';

interface Alarm extends Due {
  readonly ring: () => void;
  /** Whether the alarm resolves a promise. Code that awaits this promise must run before time moves on. */
  readonly wakes: boolean;
}

/**
 * A clock whose time jumps from one alarm to the next. Before a jump, all code that does not wait for an
 * alarm runs.
 */
export class SimulationClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #alarms = new AlarmQueue<Alarm>();
  readonly #sleepers = new WeakMap<AbortSignal, Set<() => void>>();
  readonly #onPass: (fromMs: number, toMs: number) => void;

  /** @param onPass - called before time moves on. The state is constant between the two times. */
  constructor(onPass: (fromMs: number, toMs: number) => void) {
    this.#onPass = onPass;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal | null }): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const sleepers = signal === null ? null : this.#sleepersUnder(signal);
      const cancel = this.#set(this.#nowMs + Math.max(0, ms), true, () => {
        sleepers?.delete(onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        // The caller's own reason, which may be any value.
        reject(signal?.reason);
      };
      sleepers?.add(onAbort);
    });
  }

  /** One listener for all sleeps of a signal, because adding a listener takes longer than simulating a second. */
  #sleepersUnder(signal: AbortSignal): Set<() => void> {
    const known = this.#sleepers.get(signal);
    if (known !== undefined) return known;
    const sleepers = new Set<() => void>();
    this.#sleepers.set(signal, sleepers);
    const wakeAll = (): void => {
      for (const wake of sleepers) wake();
    };
    signal.addEventListener('abort', wakeAll, { once: true });
    return sleepers;
  }

  /** Calls `ring` at a time. The returned function cancels the call. */
  at(atMs: number, ring: () => void): () => void {
    return this.#set(atMs, false, ring);
  }

  /**
   * Lets time pass up to `untilMs`.
   *
   * @throws the signal's reason once it fires.
   */
  async run(untilMs: number, signal: AbortSignal | null = null): Promise<void> {
    await settle();
    for (;;) {
      signal?.throwIfAborted();
      const next = this.#alarms.peek();
      if (next === null || next.atMs > untilMs) break;
      this.#moveTo(next.atMs);
      this.#alarms.take();
      next.ring();
      if (next.wakes || isTurnDue()) await settle();
    }
    this.#moveTo(untilMs);
  }

  /** Lets time pass until `promise` has settled. */
  async finish(promise: Promise<void>): Promise<void> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await settle();
      if (settled) return promise;
      const next = this.#alarms.peek();
      if (next === null)
        throw new Error(
          'The simulation waits for a promise, and no alarm is left that could resolve it.',
        );
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#alarms.take();
      next.ring();
    }
  }

  #set(atMs: number, wakes: boolean, ring: () => void): () => void {
    this.#order += 1;
    const alarm: Alarm = { atMs, order: this.#order, cancelled: false, ring, wakes };
    this.#alarms.add(alarm);
    return () => {
      alarm.cancelled = true;
    };
  }

  #moveTo(atMs: number): void {
    if (atMs <= this.#nowMs) return;
    this.#onPass(this.#nowMs, atMs);
    this.#nowMs = atMs;
  }
}

/** The event loop turns once after this many alarms, so that signals and real timers are served. */
const TURN_EVERY = 256;
let untilTurn = TURN_EVERY;

/** Counts an alarm that no code waits for. Returns whether the event loop must turn now. */
function isTurnDue(): boolean {
  untilTurn -= 1;
  return untilTurn <= 1;
}

/**
 * Resolves when all code that does not wait for time has run. The ports of a simulation wait only for time,
 * so it is enough to empty the queue of promises. A turn of the event loop would take ten times as long.
 */
function settle(): Promise<void> {
  untilTurn -= 1;
  if (untilTurn > 0) return new Promise((resolve) => process.nextTick(resolve));
  untilTurn = TURN_EVERY;
  return new Promise((resolve) => setImmediate(resolve));
}
