import type { SelectionPolicy } from '@mai/memory-ledger';
import type { SimulatedInstance } from './simulated-instance.js';
import type { SimulatedMachine } from './simulated-machine.js';
import { exceeds, plus } from './pools.js';
import { rungsOf } from './simulated-model.js';

/** What a policy made of a trace. All times in milliseconds. */
export interface SimulationMetrics {
  readonly durationMs: number;
  /** Changes from one model, or way to load it, to another; the first load is none. */
  readonly switches: number;
  /** Those begun while a pool was over its hard limit. */
  readonly emergencySwitches: number;
  readonly switchesPerHour: number;
  /** Opposite switches within the cool-down, emergencies left out. */
  readonly flaps: number;
  /** Time with a pool over its hard limit. */
  readonly overloadedMs: number;
  /** The part of it that dropping every model at the next observation would have spared. */
  readonly avoidableOverloadedMs: number;
  /** Stretches in which a pool was asked for more than it has. */
  readonly outOfMemoryEvents: number;
  /** Those that dropping every model at the next observation would have spared. */
  readonly avoidableOutOfMemoryEvents: number;
  /** Unloads of an instance that was serving requests. */
  readonly busyEvictions: number;
  /** Requests that found nothing ready, or lost what served them. */
  readonly droppedRequests: number;
  readonly noModelMs: number;
  /** Time-integral of the quality of the model that is ready. */
  readonly qualityMs: number;
  readonly timeByModelMs: Readonly<Record<string, number>>;
}

interface Switch {
  readonly atMs: number;
  readonly direction: 'up' | 'down';
  readonly forced: boolean;
}

/** Adds up what happens on a simulated machine. */
export class MetricsRecorder {
  readonly #machine: () => SimulatedMachine;
  readonly #observeIntervalMs: number;
  readonly #switches: Switch[] = [];
  readonly #timeByModelMs: Record<string, number> = {};
  #overloadedMs = 0;
  #avoidableOverloadedMs = 0;
  #outOfMemoryEvents = 0;
  #avoidableOutOfMemoryEvents = 0;
  #busyEvictions = 0;
  #droppedRequests = 0;
  #noModelMs = 0;
  #qualityMs = 0;
  #overHardSinceMs: number | null = null;
  #overLimitSinceMs: number | null = null;
  #outOfMemory = false;
  /** The last that served: what the next is compared with. */
  #position: number | null = null;
  #unloadForced = false;

  constructor(machine: () => SimulatedMachine, observeIntervalMs: number) {
    this.#machine = machine;
    this.#observeIntervalMs = observeIntervalMs;
  }

  /** Time passes and nothing changes in it. */
  pass(fromMs: number, toMs: number): void {
    const machine = this.#machine();
    const { policy } = machine;
    const ms = toMs - fromMs;
    const { hard, limit, capacity } = machine.bounds;
    const demand = machine.demand();
    const serving = machine.serving();

    const overHard = exceeds(demand, hard);
    this.#overHardSinceMs = overHard ? (this.#overHardSinceMs ?? fromMs) : null;
    // What a reactor that drops everything at the next observation would not have had.
    const avoidableFromMs =
      this.#overHardSinceMs === null
        ? Number.POSITIVE_INFINITY
        : this.#overHardSinceMs + this.#observeIntervalMs;
    const avoidableMs = Math.max(0, toMs - Math.max(fromMs, avoidableFromMs));
    if (overHard) {
      this.#overloadedMs += ms;
      if (!exceeds(machine.demandOfOthers(), hard)) this.#avoidableOverloadedMs += avoidableMs;
    }
    if (!exceeds(demand, capacity)) this.#outOfMemory = false;
    else if (!this.#outOfMemory) {
      this.#outOfMemory = true;
      this.#outOfMemoryEvents += 1;
      // What happens before the reactor can act happens to the reactor, too.
      const spared = fromMs >= avoidableFromMs && !exceeds(machine.demandOfOthers(), capacity);
      if (spared) this.#avoidableOutOfMemoryEvents += 1;
    }

    const last = machine.models[machine.models.length - 1];
    const isLast = serving !== null && serving.model === last;
    const limits = isLast ? hard : limit;
    this.#overLimitSinceMs = exceeds(demand, limits) ? (this.#overLimitSinceMs ?? fromMs) : null;
    if (serving?.model == null) {
      this.#noModelMs += ms;
      return;
    }
    const key = serving.modelKey;
    this.#timeByModelMs[key] = (this.#timeByModelMs[key] ?? 0) + ms;
    const countsUntilMs =
      this.#overLimitSinceMs === null
        ? toMs
        : Math.min(toMs, this.#overLimitSinceMs + policy.dwellMs);
    const quality = rungsOf(serving.model)[serving.rungIndex]?.quality ?? 0;
    this.#qualityMs += quality * Math.max(0, countsUntilMs - fromMs);
  }

  /** Something was loaded or unloaded: another model may serve now. */
  #noticeServing(): void {
    const machine = this.#machine();
    const serving = machine.serving();
    if (serving?.model == null) return;
    const position = machine.models.indexOf(serving.model) * 100 + serving.rungIndex;
    if (this.#position !== null && position !== this.#position) {
      const direction = position < this.#position ? 'up' : 'down';
      const forced = this.#unloadForced || exceeds(machine.demand(), machine.bounds.hard);
      this.#switches.push({ atMs: machine.clock.nowMs(), direction, forced });
    }
    this.#position = position;
    this.#unloadForced = false;
  }

  loaded(): void {
    this.#noticeServing();
  }

  /** After it is gone from the demand. */
  unloaded(instance: SimulatedInstance): void {
    const machine = this.#machine();
    if (instance.requests > 0) {
      this.#busyEvictions += 1;
      this.#droppedRequests += instance.requests;
    }
    const before = plus(machine.demand(), instance.demand);
    if (exceeds(before, machine.bounds.hard)) this.#unloadForced = true;
    this.#noticeServing();
  }

  /** What LM Studio took with it: nobody's eviction, but the requests are lost. */
  lost(instances: readonly SimulatedInstance[]): void {
    for (const { requests } of instances) this.#droppedRequests += requests;
  }

  requested(served: SimulatedInstance | null): void {
    if (served === null) this.#droppedRequests += 1;
  }

  finish(durationMs: number): SimulationMetrics {
    const { policy } = this.#machine();
    const forced = this.#switches.filter((one) => one.forced).length;
    return {
      durationMs,
      switches: this.#switches.length,
      emergencySwitches: forced,
      switchesPerHour: durationMs === 0 ? 0 : (this.#switches.length * 3_600_000) / durationMs,
      flaps: countFlaps(this.#switches, policy),
      overloadedMs: this.#overloadedMs,
      avoidableOverloadedMs: this.#avoidableOverloadedMs,
      outOfMemoryEvents: this.#outOfMemoryEvents,
      avoidableOutOfMemoryEvents: this.#avoidableOutOfMemoryEvents,
      busyEvictions: this.#busyEvictions,
      droppedRequests: this.#droppedRequests,
      noModelMs: this.#noModelMs,
      qualityMs: this.#qualityMs,
      timeByModelMs: this.#timeByModelMs,
    };
  }
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
