import {
  CAPACITY,
  HARD_LIMIT,
  isOverLimit,
  LIMIT,
  room,
  type Limit,
  type Pool,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { MachineObserver } from '../machine/machine-observer.js';
import { comparePreference, type SimulatedInstance } from '../machine/simulated-instance.js';
import type { SimulatedMachine } from '../machine/simulated-machine.js';
import { loadOptionsOf } from '../machine/simulated-model.js';
import type { SimulationMetrics } from './simulation-metrics.js';

interface Switch {
  readonly atMs: number;
  readonly direction: 'up' | 'down';
  readonly forced: boolean;
  readonly selfCaused: boolean;
}

/** Collects the metrics of a simulated machine. */
export class MetricsRecorder implements MachineObserver {
  readonly #machine: () => SimulatedMachine;
  readonly #observeIntervalMs: number;
  readonly #switches: Switch[] = [];
  readonly #timeByModelMs: Record<string, number> = {};
  #overloadedMs = 0;
  #avoidableOverloadedMs = 0;
  #outOfMemoryEvents = 0;
  #avoidableOutOfMemoryEvents = 0;
  #longestAvoidableOutOfMemoryMs = 0;
  #busyEvictions = 0;
  #busyEvictionsWithMemoryLeft = 0;
  #droppedRequests = 0;
  #noModelMs = 0;
  #qualityMs = 0;
  #runtimeQueries = 0;
  #overHardSinceMs: number | null = null;
  #overLimitSinceMs: number | null = null;
  #outOfMemory = false;
  #avoidableOutOfMemorySinceMs: number | null = null;
  /** The instance that answered requests last. A change to another instance counts as a switch. */
  #served: SimulatedInstance | null = null;
  /** Whether an instance was unloaded above the hard limit, and no instance has become ready since then. */
  #unloadForced = false;
  /** Whether RAM was above its limit at the last unload only because models had grown. */
  #unloadSelfCaused = false;

  constructor(machine: () => SimulatedMachine, observeIntervalMs: number) {
    this.#machine = machine;
    this.#observeIntervalMs = observeIntervalMs;
  }

  /** Adds a period in which the state is constant. */
  pass(fromMs: number, toMs: number): void {
    const { pools } = this.#machine();
    this.#passOverHardLimit(pools, fromMs, toMs);
    this.#passOutOfMemory(pools, fromMs, toMs);
    this.#passQuality(pools, fromMs, toMs);
  }

  #passOverHardLimit(pools: readonly Pool[], fromMs: number, toMs: number): void {
    if (!isAnyOver(pools, HARD_LIMIT)) {
      this.#overHardSinceMs = null;
      return;
    }
    this.#overHardSinceMs ??= fromMs;
    this.#overloadedMs += toMs - fromMs;
    if (!fitWithoutModels(pools, HARD_LIMIT)) return;
    const avoidableFromMs = this.#overHardSinceMs + this.#observeIntervalMs;
    this.#avoidableOverloadedMs += Math.max(0, toMs - Math.max(fromMs, avoidableFromMs));
  }

  #passOutOfMemory(pools: readonly Pool[], fromMs: number, toMs: number): void {
    const outOfMemory = isAnyOver(pools, CAPACITY);
    const avoidable = outOfMemory && fitWithoutModels(pools, CAPACITY);
    if (outOfMemory && !this.#outOfMemory) {
      this.#outOfMemoryEvents += 1;
      // Overload within the first observation interval cannot be avoided.
      const overForMs = fromMs - (this.#overHardSinceMs ?? fromMs);
      if (avoidable && overForMs >= this.#observeIntervalMs) this.#avoidableOutOfMemoryEvents += 1;
    }
    this.#outOfMemory = outOfMemory;
    this.#avoidableOutOfMemorySinceMs = avoidable
      ? (this.#avoidableOutOfMemorySinceMs ?? fromMs)
      : null;
    this.#longestAvoidableOutOfMemoryMs = Math.max(
      this.#longestAvoidableOutOfMemoryMs,
      toMs - (this.#avoidableOutOfMemorySinceMs ?? toMs),
    );
  }

  #passQuality(pools: readonly Pool[], fromMs: number, toMs: number): void {
    const machine = this.#machine();
    const serving = machine.serving();
    const isLast = serving !== null && serving.model === machine.models[machine.models.length - 1];
    this.#overLimitSinceMs = isAnyOver(pools, isLast ? HARD_LIMIT : LIMIT)
      ? (this.#overLimitSinceMs ?? fromMs)
      : null;
    if (serving?.model == null) {
      this.#noModelMs += toMs - fromMs;
      return;
    }
    const { modelKey, model, loadOptionIndex } = serving;
    this.#timeByModelMs[modelKey] = (this.#timeByModelMs[modelKey] ?? 0) + toMs - fromMs;
    const countsUntilMs =
      this.#overLimitSinceMs === null
        ? toMs
        : Math.min(toMs, this.#overLimitSinceMs + machine.policy.dwellMs);
    const quality = loadOptionsOf(model)[loadOptionIndex]?.quality ?? 0;
    this.#qualityMs += quality * Math.max(0, countsUntilMs - fromMs);
  }

  onLoaded(): void {
    this.#noticeServing();
  }

  onUnloaded(instance: SimulatedInstance, poolsBefore: readonly Pool[]): void {
    const overHardLimit = isAnyOver(poolsBefore, HARD_LIMIT);
    if (instance.requests > 0) {
      this.#busyEvictions += 1;
      if (!isAnyOver(poolsBefore, CAPACITY)) this.#busyEvictionsWithMemoryLeft += 1;
      this.#droppedRequests += instance.requests;
    }
    if (overHardLimit) this.#unloadForced = true;
    if (this.#isGrowthToBlame(instance, poolsBefore)) this.#unloadSelfCaused = true;
    this.#noticeServing();
  }

  /** The requests of these instances are lost. This does not count as an eviction. */
  onLost(lost: readonly SimulatedInstance[]): void {
    for (const { requests } of lost) this.#droppedRequests += requests;
  }

  onRequest(served: SimulatedInstance | null): void {
    if (served === null) this.#droppedRequests += 1;
  }

  onQuery(): void {
    this.#runtimeQueries += 1;
  }

  /** Counts a switch when another model or load option answers requests now. */
  #noticeServing(): void {
    const machine = this.#machine();
    const serving = machine.serving();
    if (serving === null) return;
    const compared =
      this.#served === null ? 0 : comparePreference(machine.models, serving, this.#served);
    if (compared !== 0) {
      this.#switches.push({
        atMs: machine.clock.nowMs(),
        direction: compared < 0 ? 'up' : 'down',
        forced: this.#unloadForced || isAnyOver(machine.pools, HARD_LIMIT),
        selfCaused: compared > 0 && this.#unloadSelfCaused,
      });
    }
    this.#served = serving;
    this.#unloadForced = false;
    this.#unloadSelfCaused = false;
  }

  #isGrowthToBlame(unloaded: SimulatedInstance, poolsBefore: readonly Pool[]): boolean {
    const ram = poolsBefore.find(({ name }) => name === 'ram');
    if (ram === undefined) return false;
    const grownBytes = this.#machine().grownBytes + unloaded.grownBytes;
    return isOverLimit(ram, LIMIT) && room(ram, LIMIT, grownBytes) >= 0;
  }

  finish(durationMs: number): SimulationMetrics {
    const { policy } = this.#machine();
    return {
      durationMs,
      switches: this.#switches.length,
      emergencySwitches: this.#switches.filter((one) => one.forced).length,
      switchesPerHour: durationMs === 0 ? 0 : (this.#switches.length * 3_600_000) / durationMs,
      flaps: countFlaps(this.#switches, policy),
      selfCausedSwitches: this.#switches.filter((one) => one.selfCaused).length,
      overloadedMs: this.#overloadedMs,
      avoidableOverloadedMs: this.#avoidableOverloadedMs,
      outOfMemoryEvents: this.#outOfMemoryEvents,
      avoidableOutOfMemoryEvents: this.#avoidableOutOfMemoryEvents,
      longestAvoidableOutOfMemoryMs: this.#longestAvoidableOutOfMemoryMs,
      busyEvictions: this.#busyEvictions,
      busyEvictionsWithMemoryLeft: this.#busyEvictionsWithMemoryLeft,
      droppedRequests: this.#droppedRequests,
      noModelMs: this.#noModelMs,
      qualityMs: this.#qualityMs,
      timeByModelMs: this.#timeByModelMs,
      runtimeQueries: this.#runtimeQueries,
    };
  }
}

function isAnyOver(pools: readonly Pool[], limit: Limit): boolean {
  return pools.some((pool) => isOverLimit(pool, limit));
}

/** Whether every pool would be within the limit if all of our models were unloaded. */
function fitWithoutModels(pools: readonly Pool[], limit: Limit): boolean {
  return pools.every((pool) => room(pool, limit, pool.residentBytes) >= 0);
}

function countFlaps(switches: readonly Switch[], policy: SelectionPolicy): number {
  return switches.filter((one, index) => {
    const before = switches[index - 1];
    return (
      before !== undefined &&
      !one.forced &&
      !before.forced &&
      one.direction !== before.direction &&
      one.atMs - before.atMs < policy.coolDownMs
    );
  }).length;
}
