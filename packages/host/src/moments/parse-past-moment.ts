import { parseDurationMs } from '@mai/model-config';

/**
 * A moment that is over, as people write it: `14:05`, which is the last time that clocks here showed it,
 * `10m` or `10m ago`, or a date, with a time or without, such as `2031-05-04T14:05`. Null for anything
 * else, and for what is still to come.
 */
export function parsePastMoment(text: string, nowMs: number): number | null {
  const trimmed = text.trim();
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(trimmed);
  if (clock !== null) {
    const moment = new Date(nowMs);
    // A minute is meant as a whole, a second likewise: what was decided within it counts.
    const seconds = clock[3] === undefined ? 59 : Number(clock[3]);
    moment.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    const beginsMs = moment.getTime();
    // By date, not by 24 hours: the day on which clocks are set has 23 or 25.
    if (beginsMs > nowMs) moment.setDate(moment.getDate() - 1);
    return Math.min(nowMs, moment.getTime() + seconds * 1000 + 999);
  }
  const durationMs = parseDurationMs(trimmed.replace(/\s*\bago$/, ''));
  if (durationMs !== null) return nowMs - durationMs;
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}|$)/.test(trimmed)) return null;
  // A date alone would be read as midnight in Greenwich, and is meant as the end of the day here.
  const isDate = trimmed.length === 10;
  const moment = Date.parse(isDate ? `${trimmed}T23:59:59.999` : trimmed);
  if (Number.isNaN(moment)) return null;
  if (isDate) return Date.parse(`${trimmed}T00:00`) > nowMs ? null : Math.min(moment, nowMs);
  return moment > nowMs ? null : moment;
}
