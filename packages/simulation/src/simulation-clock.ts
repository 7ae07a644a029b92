import type { Clock } from '@mai/autopilot';
import { AlarmQueue, type Due } from './alarm-queue.js';

interface Alarm extends Due {
  readonly ring: () => void;
  /** Whether somebody's code goes on because of it, which then has to have its turn. */
  readonly wakes: boolean;
}

/** Time that passes as fast as the code under it runs. */
export class SimulationClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #alarms = new AlarmQueue<Alarm>();
  readonly #sleepers = new WeakMap<AbortSignal, Set<() => void>>();
  readonly #onPass: (fromMs: number, toMs: number) => void;

  /** @param onPass - called before time moves, while everything still is as it was. */
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
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const sleepers = signal === null ? null : this.#sleepersUnder(signal);
      const cancel = this.#set(this.#nowMs + Math.max(0, ms), true, () => {
        sleepers?.delete(onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      sleepers?.add(onAbort);
    });
  }

  /** One listener for all the sleeps under a signal: adding one takes longer than a simulated second. */
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

  /** Calls `ring` at a time; the result cancels it. */
  at(atMs: number, ring: () => void): () => void {
    return this.#set(atMs, false, ring);
  }

  /** Lets time pass up to `untilMs`; rejects with the signal's reason once that fires. */
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
      if (next === null) throw new Error('Nothing is left that could end the simulation.');
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

/** A turn of the event loop this often, so that signals and timers of the outside world are served. */
const TURN_EVERY = 256;
let untilTurn = TURN_EVERY;

/** Nobody waits for this alarm, but the outside world is not to wait for ever. */
function isTurnDue(): boolean {
  untilTurn -= 1;
  return untilTurn <= 1;
}

/**
 * Everything that does not wait for time has run. The ports of a simulation wait for nothing else, so
 * that an empty queue of promises is enough; a turn of the event loop costs ten times as much.
 */
function settle(): Promise<void> {
  untilTurn -= 1;
  if (untilTurn > 0) return new Promise((resolve) => process.nextTick(resolve));
  untilTurn = TURN_EVERY;
  return new Promise((resolve) => setImmediate(resolve));
}
