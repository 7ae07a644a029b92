import type { Resources } from '@mai/memory-ledger';
import { callOptions } from '../ports/call-options.js';
import type { Clock } from '../ports/clock.js';
import type { RuntimeInstance, RuntimePort } from '../ports/runtime-port.js';
import { isSameData } from './same-data.js';

/**
 * Maximum age of the resident list in steady state: once in ten seconds, less a margin. Rounds jitter by
 * milliseconds, and without the margin the call would slip to the next round.
 */
const STEADY_MAX_AGE_MS = 9900;
/**
 * A change of this size triggers a new listing: less than a model of a gigabyte, more than the noise of a
 * desktop.
 */
const CHANGED_BYTES = 512 * 1024 ** 2;
/**
 * A load takes its memory before it is listed: after a change the runtime is asked more often for a while.
 */
const UNSETTLED_MS = 10_000;
const UNSETTLED_MAX_AGE_MS = 1900;
/** The engines count as busy from the first share of all cores on, and as idle below the second. */
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
 * The residents as the runtime listed them last, and whether it has to be asked again. A change of local
 * readings since then (memory, CPU of the engines) means that something may have been loaded or unloaded.
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

  /** When something last changed, in monotonic milliseconds: local readings, or what the runtime lists. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** Whether local readings have changed since the last listing. Call once for each reading. */
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

  /** Asks the runtime. `resources` is the reading that the next ones are compared with. */
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

/** How many bytes became available or unavailable, over RAM and every GPU with memory of its own. */
function movedBytes(before: Resources, now: Resources): number {
  const moved = (one: number | null, other: number | null): number =>
    one === other ? 0 : one === null || other === null ? Infinity : Math.abs(one - other);
  return now.gpus.reduce(
    (sum, { deviceKey, memory, availableBytes }) => {
      if (now.unified || memory === 'shared') return sum;
      const same = before.gpus.find((gpu) => gpu.deviceKey === deviceKey);
      return sum + moved(same?.availableBytes ?? null, availableBytes);
    },
    moved(before.ram.availableBytes, now.ram.availableBytes),
  );
}

/** Null where the share of the engines is not known. */
function areEnginesBusy({ cpu }: Resources, before: boolean | null): boolean | null {
  if (cpu.utilizationRatio === null || cpu.othersRatio === null) return null;
  const enginesRatio = cpu.utilizationRatio - cpu.othersRatio;
  return enginesRatio >= (before === true ? ENGINES_IDLE_RATIO : ENGINES_BUSY_RATIO);
}
