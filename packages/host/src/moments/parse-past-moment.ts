import { parseDurationMs } from '@mai/model-config';

/**
 * A past moment as text: `14:05`, the last time that local clocks showed it, `10m` or `10m ago`,
 * or a date with or without a time, such as `2031-05-04T14:05`. Null for anything else, and for a
 * moment in the future.
 */
export function parsePastMoment(text: string, nowMs: number): number | null {
  const trimmed = text.trim();
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(trimmed);
  if (clock !== null) {
    const moment = new Date(nowMs);
    // Moves to the end of the given minute or second, so that decisions within it are included.
    const seconds = clock[3] === undefined ? 59 : Number(clock[3]);
    moment.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    const beginsMs = moment.getTime();
    // Subtracts a calendar day, not 24 hours: on the day of a clock change, a day has 23 or 25
    // hours.
    if (beginsMs > nowMs) moment.setDate(moment.getDate() - 1);
    return Math.min(nowMs, moment.getTime() + seconds * 1000 + 999);
  }
  const durationMs = parseDurationMs(trimmed.replace(/\s*\bago$/, ''));
  if (durationMs !== null) return nowMs - durationMs;
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}|$)/.test(trimmed)) return null;
  // JavaScript reads a date alone as midnight in UTC; the user means the end of the local day.
  const isDate = trimmed.length === 10;
  const moment = Date.parse(isDate ? `${trimmed}T23:59:59.999` : trimmed);
  if (Number.isNaN(moment)) return null;
  if (isDate) return Date.parse(`${trimmed}T00:00`) > nowMs ? null : Math.min(moment, nowMs);
  return moment > nowMs ? null : moment;
}
