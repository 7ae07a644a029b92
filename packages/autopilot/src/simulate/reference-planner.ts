import type { SelectionPolicy } from '@mai/selector';
import { demandOf, rungsOf, type Demand, type SimulatedModel } from './simulated-model.js';
import type { TraceRow } from './trace.js';

/** One way to load one model: a state of the plan. */
interface Holding {
  readonly demand: Demand;
  readonly loadMs: number;
  readonly quality: number;
  readonly last: boolean;
}

/**
 * The most quality that could have been had with perfect foresight: time is cut into steps, and over
 * them the best sequence of loads is found by dynamic programming. It has the same load times and rungs;
 * a model is held, and loaded, only while every pool stays within its percentage limit, the last of the
 * chain up to the hard limit; the old one serves during a load where both fit.
 *
 * Exact where changes of the trace and load times are multiples of `stepMs`; otherwise a step counts for
 * a model only where it fits all through it.
 */
export function referenceQualityMs(
  trace: readonly TraceRow[],
  models: readonly SimulatedModel[],
  policy: SelectionPolicy,
  stepMs: number,
): number {
  const durationMs = trace[trace.length - 1]?.tMs ?? 0;
  const steps = Math.floor(durationMs / stepMs);
  const hasGpu = (trace[0]?.gpus ?? []).some((gpu) => !gpu.unified);
  const holdings = models.flatMap((model, index) =>
    rungsOf(model).map((rung): Holding => ({
      demand: demandOf(rung, hasGpu),
      loadMs: model.loadMs,
      quality: rung.quality,
      last: index === models.length - 1,
    })),
  );
  const bounds = boundsByStep(trace, policy, steps, stepMs);
  const available = availability(trace, steps);

  /** Until which step a demand fits without a break, by step. */
  const fitsUntil = (demand: Demand, last: boolean): Int32Array => {
    const until = new Int32Array(steps + 1);
    until[steps] = steps;
    for (let step = steps - 1; step >= 0; step -= 1) {
      const room = (last ? bounds.hard : bounds.limit)[step] as Demand;
      const fits =
        (available === null || available[step] === 1) &&
        demand.ramBytes <= room.ramBytes &&
        demand.vramBytes <= room.vramBytes;
      until[step] = fits ? Math.max(step + 1, until[step + 1] as number) : step;
    }
    return until;
  };
  const alone = holdings.map((one) => fitsUntil(one.demand, one.last));
  const both = holdings.map((from) =>
    holdings.map((to) =>
      fitsUntil(
        {
          ramBytes: from.demand.ramBytes + to.demand.ramBytes,
          vramBytes: from.demand.vramBytes + to.demand.vramBytes,
        },
        from.last && to.last,
      ),
    ),
  );
  const loadSteps = holdings.map((one) => Math.ceil(one.loadMs / stepMs));

  // best[h][t]: the most from step t on, holding h; the last row is holding nothing.
  const none = holdings.length;
  const best = Array.from({ length: none + 1 }, () => new Float64Array(steps + 1));
  const at = (holding: number, step: number): number =>
    (best[holding] as Float64Array)[step] as number;
  for (let step = steps - 1; step >= 0; step -= 1) {
    let nothing = at(none, step + 1);
    for (const [to, ms] of loadSteps.entries()) {
      const ready = step + ms;
      if (ready <= steps && ((alone[to] as Int32Array)[step] as number) >= ready) {
        nothing = Math.max(nothing, at(to, ready));
      }
    }
    (best[none] as Float64Array)[step] = nothing;
    for (const [from, holding] of holdings.entries()) {
      let most = nothing;
      if (((alone[from] as Int32Array)[step] as number) > step) {
        most = Math.max(most, holding.quality * stepMs + at(from, step + 1));
        for (const [to, ms] of loadSteps.entries()) {
          const ready = step + ms;
          if (to === from || ready > steps) continue;
          if (((both[from]?.[to] as Int32Array)[step] as number) >= ready) {
            most = Math.max(most, holding.quality * stepMs * ms + at(to, ready));
          }
        }
      }
      (best[from] as Float64Array)[step] = most;
    }
  }
  return at(none, 0);
}

/** What others leave of each pool under either limit, the least within each step. */
function boundsByStep(
  trace: readonly TraceRow[],
  policy: SelectionPolicy,
  steps: number,
  stepMs: number,
): { readonly limit: Demand[]; readonly hard: Demand[] } {
  const limit: Demand[] = [];
  const hard: Demand[] = [];
  const foreign = foreignByRow(trace);
  let row = 0;
  for (let step = 0; step < steps; step += 1) {
    const endMs = (step + 1) * stepMs;
    while ((trace[row + 1]?.tMs ?? Number.POSITIVE_INFINITY) <= step * stepMs) row += 1;
    let least: readonly [Demand, Demand] | null = null;
    for (let index = row; index < trace.length; index += 1) {
      const current = trace[index];
      if (current === undefined || (index > row && current.tMs >= endMs)) break;
      const room = roomOf(current, policy, foreign[index] as Demand);
      least = least === null ? room : [smaller(least[0], room[0]), smaller(least[1], room[1])];
    }
    limit.push((least as readonly [Demand, Demand])[0]);
    hard.push((least as readonly [Demand, Demand])[1]);
  }
  return { limit, hard };
}

function roomOf(
  row: TraceRow,
  policy: SelectionPolicy,
  foreign: Demand,
): readonly [Demand, Demand] {
  const gpu = row.gpus.find((one) => !one.unified);
  const unified = row.gpus.some((one) => one.unified);
  const left = (ramRatio: number, vramRatio: number): Demand => ({
    ramBytes: row.ram.totalBytes * ramRatio - row.ram.othersBytes - foreign.ramBytes,
    vramBytes: (gpu?.totalBytes ?? 0) * vramRatio - (gpu?.othersBytes ?? 0) - foreign.vramBytes,
  });
  const hardRatio = unified ? policy.unifiedHardLimitRatio : policy.hardLimitRatio;
  return [
    left(policy.memoryLimitRatio, policy.vramLimitRatio),
    left(hardRatio, policy.hardLimitRatio),
  ];
}

/** What models loaded by hand take, by row. */
function foreignByRow(trace: readonly TraceRow[]): Demand[] {
  const loaded = new Map<string, Demand>();
  return trace.map((row) => {
    for (const event of row.events) {
      if (event.type === 'foreignLoad') {
        loaded.set(event.instanceIdentifier, {
          ramBytes: event.ramBytes,
          vramBytes: event.vramBytes,
        });
      } else if (event.type === 'foreignUnload') loaded.delete(event.instanceIdentifier);
      else if (event.type === 'lmStudioDown') loaded.clear();
    }
    return [...loaded.values()].reduce(
      (sum, one) => ({
        ramBytes: sum.ramBytes + one.ramBytes,
        vramBytes: sum.vramBytes + one.vramBytes,
      }),
      { ramBytes: 0, vramBytes: 0 },
    );
  });
}

/** 1 in every step in which LM Studio is up; null when it always is. */
function availability(trace: readonly TraceRow[], steps: number): Uint8Array | null {
  const events = trace.flatMap((row) =>
    row.events
      .filter((event) => event.type === 'lmStudioDown' || event.type === 'lmStudioUp')
      .map((event) => ({ atMs: row.tMs, up: event.type === 'lmStudioUp' })),
  );
  if (events.length === 0) return null;
  const durationMs = trace[trace.length - 1]?.tMs ?? 0;
  const stepMs = durationMs / steps;
  const up = new Uint8Array(steps).fill(1);
  let isUp = true;
  let next = 0;
  for (let step = 0; step < steps; step += 1) {
    let upAllThrough = isUp;
    for (; (events[next]?.atMs ?? Number.POSITIVE_INFINITY) < (step + 1) * stepMs; next += 1) {
      isUp = events[next]?.up === true;
      upAllThrough &&= isUp;
    }
    up[step] = upAllThrough ? 1 : 0;
  }
  return up;
}

function smaller(one: Demand, other: Demand): Demand {
  return {
    ramBytes: Math.min(one.ramBytes, other.ramBytes),
    vramBytes: Math.min(one.vramBytes, other.vramBytes),
  };
}
