import type { ServingCatalog, ServingChange } from '../../ports/serving-port.js';
import type { SchedulerState } from '../scheduler.js';

/** Expected time of a load before the first measurement: 10 seconds, and its bytes at 1 GB/s. */
const UNMEASURED_BASE_MS = 10_000;
const UNMEASURED_BYTES_PER_MS = 1_000_000;
/** Loads of fewer bytes say little about the time per byte. */
const RATE_MIN_BYTES = 1_073_741_824;
/** Weight of the last load in the mean time per byte. */
const LAST_WEIGHT = 0.5;
const MODELS_MAX = 256;
const PASS_OVER_MIN_MS = 2000;
const PASS_OVER_MAX_MS = 30_000;
/**
 * With turns of this many load times, two alternating clients switch at most a third as often as in order of arrival, as
 * long as a request takes no more than a third of a load.
 */
const PASS_OVER_LOADS = 3;

/** The load in progress, and the expected time of the next load, from past loads. Times are in milliseconds. */
export class Loads {
  #current: SchedulerState['loading'] = null;
  readonly #byModel = new Map<string, number>();
  #msPerByte: number | null = null;
  #lastMs: number | null = null;

  /** The model that is being loaded; null without a load. */
  get current(): SchedulerState['loading'] {
    return this.#current;
  }

  onChange(change: ServingChange, catalog: ServingCatalog | null): void {
    switch (change.type) {
      case 'loading':
        this.#current = { modelKey: change.modelKey, progressRatio: change.progressRatio };
        break;
      case 'loaded': {
        const model = catalog?.models.find((one) => one.modelKey === change.modelKey);
        this.#learn(change.modelKey, model?.sizeBytes ?? null, change.tookMs);
        this.#current = null;
        break;
      }
      case 'load-failed':
      case 'switched':
        this.#current = null;
        break;
      case 'catalog':
      case 'draining':
        break;
    }
  }

  /** Expected time of a load: the model's last load, else the measured time per byte, else a guess. */
  expectedMs(modelKey: string | null, bytes: number | null): number {
    const own = modelKey === null ? undefined : this.#byModel.get(modelKey);
    if (own !== undefined) return own;
    if (bytes === null) return UNMEASURED_BASE_MS;
    return this.#msPerByte === null
      ? UNMEASURED_BASE_MS + bytes / UNMEASURED_BYTES_PER_MS
      : bytes * this.#msPerByte;
  }

  /** How long a model in use is kept while others wait for this load: `SchedulerLimits.passOverMs` by default. */
  passOverMs(modelKey: string | null, bytes: number | null): number {
    const loadMs = this.#lastMs ?? this.expectedMs(modelKey, bytes);
    return Math.min(PASS_OVER_MAX_MS, Math.max(PASS_OVER_MIN_MS, PASS_OVER_LOADS * loadMs));
  }

  #learn(modelKey: string, bytes: number | null, tookMs: number): void {
    if (!Number.isFinite(tookMs) || tookMs < 0) return;
    this.#lastMs = tookMs;
    this.#byModel.delete(modelKey);
    this.#byModel.set(modelKey, tookMs);
    if (this.#byModel.size > MODELS_MAX) {
      const [oldest] = this.#byModel.keys();
      if (oldest !== undefined) this.#byModel.delete(oldest);
    }
    if (bytes === null || bytes < RATE_MIN_BYTES) return;
    const rate = tookMs / bytes;
    this.#msPerByte =
      this.#msPerByte === null ? rate : this.#msPerByte * (1 - LAST_WEIGHT) + rate * LAST_WEIGHT;
  }
}
