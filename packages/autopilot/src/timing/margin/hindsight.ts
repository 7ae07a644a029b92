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

/** The times of the rules at one moment of the past. */
interface Timers {
  /** For how long the loaded model has been over the limit. */
  overMs: number;
  /** For how long a step up has been due. */
  dueMs: number;
  coolDownLeftMs: number;
  lastWasUp: boolean;
}

/**
 * The value that rules would have had in the past, as value times milliseconds, less the cost of their switches.
 * The rules are those of the autopilot without requests, failures and forecasts.
 */
export function valueInHindsight(past: Hindsight, rules: Rules): number {
  const { ways } = past;
  const timers: Timers = { overMs: 0, dueMs: 0, coolDownLeftMs: 0, lastWasUp: true };
  let sum = 0;
  let current = -1;
  let switchLeftMs = 0;
  let valueMeanwhile = 0;
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
      if (current === -1) current = ways.findIndex((way) => fits(past, way, index, null));
      const held = ways[current];
      if (held === undefined) break;
      const isOver = !fits(past, held, index, null);
      const next = isOver ? wayDown(past, current, index) : wayUp(past, current, index, rules);
      const to = ways[next];
      if (!isOver) timers.overMs = 0;
      if (isOver || to === undefined) timers.dueMs = 0;
      const waitMs =
        to === undefined
          ? Infinity
          : isOver
            ? waitDownMs(timers, rules, isOverHardLimit(past, held, index))
            : waitUpMs(timers, rules);
      const ms = Math.min(leftMs, waitMs);
      const toleratedMs = Math.max(0, Math.min(ms, rules.toleratedMs - timers.overMs));
      sum += held.value * (isOver ? toleratedMs : ms);
      leftMs -= ms;
      timers.coolDownLeftMs -= ms;
      if (isOver) timers.overMs += ms;
      else if (to !== undefined) timers.dueMs += ms;
      if (to === undefined || ms < waitMs) continue;
      // A step up keeps the old model until the new one is loaded, where memory has room for both.
      const isBeside = !isOver && fits(past, bothOf(held, to), index, null);
      valueMeanwhile = isBeside ? held.value : 0;
      switchLeftMs = to.loadMs + (isBeside ? 0 : SETTLE_MS);
      sum -= held.value * RECOVERY_MS;
      timers.coolDownLeftMs = rules.coolDownMs;
      timers.lastWasUp = !isOver;
      timers.overMs = 0;
      timers.dueMs = 0;
      current = next;
    }
  }
  return sum;
}

/** Index of the best way after the current one that fits; -1: none. */
function wayDown(past: Hindsight, current: number, index: number): number {
  return past.ways.findIndex((way, at) => at > current && fits(past, way, index, null));
}

/** Index of the best way before the current one to which the rules step up; -1: none. */
function wayUp(past: Hindsight, current: number, index: number, rules: Rules): number {
  return past.ways.findIndex(
    (way, at) =>
      at < current &&
      (way.isCheapest || way.place >= rules.cheapestBefore) &&
      fits(past, way, index, rules),
  );
}

/** Milliseconds until the rules step down. A step down after another one waits for no cool-down. */
function waitDownMs(
  { overMs, coolDownLeftMs, lastWasUp }: Timers,
  { dwellDownMs }: Rules,
  isOverHard: boolean,
): number {
  if (isOverHard) return 0;
  return Math.max(0, dwellDownMs - overMs, lastWasUp ? coolDownLeftMs : 0);
}

/** Milliseconds until the rules step up. */
function waitUpMs({ dueMs, coolDownLeftMs }: Timers, { dwellUpMs }: Rules): number {
  return Math.max(0, dwellUpMs - dueMs, coolDownLeftMs);
}

type PastWay = Hindsight['ways'][number];

/** Two loaded ways as one. */
function bothOf(held: PastWay, to: PastWay): PastWay {
  const needed = to.needed.map((bytes, at) => bytes + (held.needed[at] ?? 0));
  return { ...to, needed, isLast: false };
}

/** Whether a way fits in a period. With rules, it must fit as a step up: below the limit less the margin. */
function fits(
  { rooms }: Hindsight,
  { needed, isLast }: PastWay,
  index: number,
  rules: Rules | null,
): boolean {
  return needed.every((bytes, at) => {
    const room = rooms[at];
    if (bytes === 0 || room === undefined) return true;
    return (room.others[index] ?? 0) + bytes <= allowedBytesOf(room, isLast, rules);
  });
}

function allowedBytesOf(
  { limitBytes, hardLimitBytes, totalBytes }: Room,
  isLast: boolean,
  rules: Rules | null,
): number {
  if (rules === null) return isLast ? hardLimitBytes : limitBytes;
  const lessMargin = limitBytes - rules.marginRatio * totalBytes;
  return Math.min(limitBytes, Math.max(lessMargin, rules.upgradeBelowRatioMin * totalBytes));
}

function isOverHardLimit({ rooms }: Hindsight, { needed }: PastWay, index: number): boolean {
  return needed.some((bytes, at) => {
    const room = rooms[at];
    return (
      bytes > 0 && room !== undefined && (room.others[index] ?? 0) + bytes > room.hardLimitBytes
    );
  });
}
