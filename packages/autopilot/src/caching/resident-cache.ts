import { hasOwnMemory, type Resources } from '@mai/memory-ledger';
import { callOptions } from '../ports/call-options.js';
import type { Clock } from '../ports/clock.js';
import type { RuntimeInstance, RuntimePort } from '../ports/runtime-port.js';
import { isSameData } from '../same-data.js';

/**
 * Maximum age of the resident list in steady state: ten seconds, less a margin. Rounds begin some
 * milliseconds early or late. Without the margin, the call would often wait for the next round.
 */
const STEADY_MAX_AGE_MS = 9900;
/**
 * A change of available memory of this size triggers a new listing. A model of a gigabyte takes more, and the
 * usual changes on a desktop are smaller.
 */
const CHANGED_BYTES = 512 * 1024 ** 2;
/**
 * A model takes memory while it loads, but the runtime lists it only at the end. So the runtime is asked more
 * often for this time after a change.
 */
const UNSETTLED_MS = 10_000;
const UNSETTLED_MAX_AGE_MS = 1900;
/** The engines become busy at the first share of all cores, and idle below the second share. */
const ENGINES_BUSY_RATIO = 0.1;
const ENGINES_IDLE_RATIO = 0.05;

/** The runtime's last answer, and the local readings at that time. */
interface Listing {
  readonly atMs: number;
  readonly instances: readonly RuntimeInstance[];
  readonly resources: Resources;
  readonly enginesBusy: boolean | null;
}

/**
 * Keeps the residents that the runtime listed last, and says when the runtime has to be asked again. If
 * memory or the CPU use of the engines has changed since, a model may have been loaded or unloaded.
 */
export class ResidentCache {
  readonly #runtime: RuntimePort;
  readonly #clock: Clock;
  #listing: Listing | null = null;
  #enginesBusy: boolean | null = null;
  #changedAtMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: RuntimePort, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /** When the local readings or the list of residents last changed, in monotonic milliseconds. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** Whether the local readings have changed since the last listing. Call once for each reading. */
  observe(resources: Resources): boolean {
    this.#enginesBusy = areEnginesBusy(resources, this.#enginesBusy);
    const listing = this.#listing;
    if (listing === null) return true;
    const changed =
      listing.enginesBusy !== this.#enginesBusy ||
      movedBytes(listing.resources, resources) >= CHANGED_BYTES;
    if (changed) this.#changedAtMs = this.#clock.monotonicMs();
    return changed;
  }

  /** The last listing; null when it is too old for steady state. */
  recall(): readonly RuntimeInstance[] | null {
    if (this.#listing === null) return null;
    const nowMs = this.#clock.monotonicMs();
    const unsettled = nowMs - this.#changedAtMs < UNSETTLED_MS;
    const maxAgeMs = unsettled ? UNSETTLED_MAX_AGE_MS : STEADY_MAX_AGE_MS;
    return nowMs - this.#listing.atMs < maxAgeMs ? this.#listing.instances : null;
  }

  /** Asks the runtime. Later readings are compared with `resources`. */
  async list(resources: Resources, signal: AbortSignal): Promise<readonly RuntimeInstance[]> {
    const before = this.#listing;
    this.#listing = null;
    const atMs = this.#clock.monotonicMs();
    const instances = await this.#runtime.listResidents(callOptions(signal, null));
    if (before !== null && !isSameData(identifiersOf(before.instances), identifiersOf(instances))) {
      this.#changedAtMs = atMs;
    }
    this.#listing = { atMs, instances, resources, enginesBusy: this.#enginesBusy };
    return instances;
  }

  /** Makes the next round ask the runtime. */
  forget(): void {
    this.#listing = null;
  }
}

function identifiersOf(instances: readonly RuntimeInstance[]): readonly string[] {
  return instances.map((one) => one.instanceIdentifier).sort();
}

/** By how many bytes available memory has changed, over RAM and every GPU with memory of its own. */
function movedBytes(before: Resources, now: Resources): number {
  const moved = (one: number | null, other: number | null): number =>
    one === other ? 0 : one === null || other === null ? Infinity : Math.abs(one - other);
  return now.gpus.reduce(
    (sum, gpu) => {
      if (!hasOwnMemory(gpu, now)) return sum;
      const same = before.gpus.find(({ deviceKey }) => deviceKey === gpu.deviceKey);
      return sum + moved(same?.availableBytes ?? null, gpu.availableBytes);
    },
    moved(before.ram.availableBytes, now.ram.availableBytes),
  );
}

/** Whether the engines use the CPU; null where their share is unknown. */
function areEnginesBusy({ cpu }: Resources, before: boolean | null): boolean | null {
  if (cpu.utilizationRatio === null || cpu.othersRatio === null) return null;
  const enginesRatio = cpu.utilizationRatio - cpu.othersRatio;
  return enginesRatio >= (before === true ? ENGINES_IDLE_RATIO : ENGINES_BUSY_RATIO);
}
