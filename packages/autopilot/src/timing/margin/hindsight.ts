import type { PoolOutcome } from '@mai/selector';
import { RECOVERY_MS, SETTLE_MS } from '../reaction-time.js';
import type { UsePeriod } from './use-history.js';
import type { Way } from './ways.js';

/** The rules whose result is computed. Times are in milliseconds. */
export interface Rules {
  /** How far below its limit a step up must stay, 0 to 1. */
  readonly marginRatio: number;
  readonly dwellUpMs: number;
  readonly dwellDownMs: number;
  readonly coolDownMs: number;
  /** Time over the limit after which a model counts as worth nothing. */
  readonly toleratedMs: number;
  readonly upgradeBelowRatioMin: number;
  /** A step up to a model before this place takes its cheapest way, which leaves the most room. 0: no model. */
  readonly cheapestBefore: number;
}

/** The limits of a pool, and the others' use in each period. */
interface Room {
  readonly limitBytes: number;
  readonly hardLimitBytes: number;
  readonly totalBytes: number;
  readonly others: readonly number[];
}

/** The periods, and the ways that were the best fitting way, or the best of the cheapest ways, in at least one period. */
export interface Hindsight {
  readonly periods: readonly number[];
  readonly rooms: readonly Room[];
  readonly ways: readonly (Omit<Way, 'needed'> & { readonly needed: readonly number[] })[];
}

/**
 * Joins the periods, the ways and the limits of the pools.
 *
 * @param comparesCheapest - whether rules with `cheapestBefore` are compared: keeps the cheapest ways of the models, too.
 */
export function lookBack(
  periods: readonly UsePeriod[],
  ways: readonly Way[],
  pools: readonly PoolOutcome[],
  comparesCheapest: boolean,
): Hindsight {
  const rooms = pools.map(({ pool, limitBytes, hardLimitBytes, totalBytes }) => ({
    limitBytes,
    hardLimitBytes,
    totalBytes,
    others: periods.map(({ othersBytes }) => othersBytes.get(pool) ?? 0),
  }));
  const all = {
    periods: periods.map(({ lastedMs }) => lastedMs),
    rooms,
    ways: ways.map((way) => ({
      ...way,
      needed: pools.map(({ pool }) => way.needed.get(pool) ?? 0),
    })),
  };
  const used = new Set(
    periods.flatMap((_, index) => [
      all.ways.findIndex((way) => fits(all, way, index, null)),
      comparesCheapest
        ? all.ways.findIndex((way) => way.isCheapest && fits(all, way, index, null))
        : -1,
    ]),
  );
  return { ...all, ways: all.ways.filter((_, index) => used.has(index)) };
}

/**
 * The value that rules would have had in the past, as value times milliseconds, less the cost of their switches.
 * The rules are those of the autopilot without requests, failures and forecasts.
 */
export function valueInHindsight(past: Hindsight, rules: Rules): number {
  const { ways } = past;
  let sum = 0;
  let current = -1;
  let switchLeftMs = 0;
  let valueMeanwhile = 0;
  let overMs = 0;
  let dueMs = 0;
  let coolDownLeftMs = 0;
  let lastWasUp = true;
  for (const [index, lastedMs] of past.periods.entries()) {
    let leftMs = lastedMs;
    while (leftMs > 0) {
      if (switchLeftMs > 0) {
        const ms = Math.min(leftMs, switchLeftMs);
        sum += valueMeanwhile * ms;
        leftMs -= ms;
        switchLeftMs -= ms;
        continue;
      }
      current = current === -1 ? ways.findIndex((way) => fits(past, way, index, null)) : current;
      const held = ways[current];
      if (held === undefined) break;
      const over = !fits(past, held, index, null);
      const next = ways.findIndex((way, at) =>
        over
          ? at > current && fits(past, way, index, null)
          : at < current &&
            (way.isCheapest || way.place >= rules.cheapestBefore) &&
            fits(past, way, index, rules),
      );
      const to = ways[next];
      if (!over) overMs = 0;
      if (over || to === undefined) dueMs = 0;
      const dwellLeftMs = over ? rules.dwellDownMs - overMs : rules.dwellUpMs - dueMs;
      const waitMs =
        to === undefined
          ? Infinity
          : over && isOverHardLimit(past, held, index)
            ? 0
            : Math.max(0, dwellLeftMs, over && !lastWasUp ? 0 : coolDownLeftMs);
      const ms = Math.min(leftMs, waitMs);
      sum += held.value * (over ? Math.max(0, Math.min(ms, rules.toleratedMs - overMs)) : ms);
      leftMs -= ms;
      coolDownLeftMs -= ms;
      if (over) overMs += ms;
      else if (to !== undefined) dueMs += ms;
      if (to === undefined || ms < waitMs) continue;
      const besides = {
        ...to,
        needed: to.needed.map((bytes, at) => bytes + (held.needed[at] ?? 0)),
      };
      const both = !over && fits(past, { ...besides, isLast: false }, index, null);
      valueMeanwhile = both ? held.value : 0;
      switchLeftMs = to.loadMs + (both ? 0 : SETTLE_MS);
      sum -= held.value * RECOVERY_MS;
      coolDownLeftMs = rules.coolDownMs;
      lastWasUp = !over;
      current = next;
      overMs = 0;
      dueMs = 0;
    }
  }
  return sum;
}

/** Whether a way fits in a period. With rules, it must fit as a step up: below the limit less the margin. */
function fits(
  { rooms }: Hindsight,
  { needed, isLast }: Hindsight['ways'][number],
  index: number,
  rules: Rules | null,
): boolean {
  return needed.every((bytes, at) => {
    const room = rooms[at];
    if (bytes === 0 || room === undefined) return true;
    const { limitBytes, hardLimitBytes, totalBytes } = room;
    const allowedBytes =
      rules === null
        ? isLast
          ? hardLimitBytes
          : limitBytes
        : Math.min(
            limitBytes,
            Math.max(
              limitBytes - rules.marginRatio * totalBytes,
              rules.upgradeBelowRatioMin * totalBytes,
            ),
          );
    return (room.others[index] ?? 0) + bytes <= allowedBytes;
  });
}

function isOverHardLimit(
  { rooms }: Hindsight,
  { needed }: Hindsight['ways'][number],
  index: number,
): boolean {
  return needed.some((bytes, at) => {
    const room = rooms[at];
    return (
      bytes > 0 && room !== undefined && (room.others[index] ?? 0) + bytes > room.hardLimitBytes
    );
  });
}
