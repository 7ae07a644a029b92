import { parseDurationMs } from '@mai/model-config';

/**
 * Reads a moment that a user wrote, in local time. Both directions accept a time of day such as
 * `22:30` or `22:30:15`, and a date with a time such as `2031-05-04T22:30`.
 *
 * - `next`: a time of day means the next time that local clocks show it. A date may lie in the past.
 * - `last`: a time of day means the last time that local clocks showed it, to the end of that minute
 *   or second. Also accepts an age (`10m`, `10m ago`), and a date alone, which means the end of that day. A
 *   minute or day that has not ended yet ends at `nowMs`.
 *
 * @returns Milliseconds since the epoch. Null for any other text; with `last`, also for a moment
 *   after `nowMs`.
 */
export function parseMoment(
  text: string,
  nowMs: number,
  direction: 'next' | 'last',
): number | null {
  const trimmed = text.trim();
  const time = parseTimeOfDay(trimmed);
  if (direction === 'next') {
    return time === null ? parseDateTime(trimmed) : nextTime(time, nowMs);
  }
  if (time !== null) return lastTime(time, nowMs);
  const ageMs = parseDurationMs(trimmed.replace(/\s*\bago$/, ''));
  if (ageMs !== null) return nowMs - ageMs;
  // Without a time, JavaScript reads a date as midnight in UTC; the user means the local day.
  const beginsMs = parseDateTime(DATE.test(trimmed) ? `${trimmed}T00:00` : trimmed);
  if (beginsMs === null || beginsMs > nowMs) return null;
  return DATE.test(trimmed) ? Math.min(Date.parse(`${trimmed}T23:59:59.999`), nowMs) : beginsMs;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

interface TimeOfDay {
  readonly hours: number;
  readonly minutes: number;
  /** Null: the text names a whole minute. */
  readonly seconds: number | null;
}

function parseTimeOfDay(text: string): TimeOfDay | null {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (match === null) return null;
  const [, hours, minutes, seconds] = match;
  return {
    hours: Number(hours),
    minutes: Number(minutes),
    seconds: seconds === undefined ? null : Number(seconds),
  };
}

function nextTime({ hours, minutes, seconds }: TimeOfDay, nowMs: number): number {
  const moment = new Date(nowMs);
  moment.setHours(hours, minutes, seconds ?? 0, 0);
  // Adds a calendar day, not 24 hours: on the day of a clock change, a day has 23 or 25 hours.
  if (moment.getTime() <= nowMs) moment.setDate(moment.getDate() + 1);
  return moment.getTime();
}

/** Returns the end of the minute or second, so that decisions within it are included. */
function lastTime({ hours, minutes, seconds }: TimeOfDay, nowMs: number): number {
  const moment = new Date(nowMs);
  moment.setHours(hours, minutes, 0, 0);
  // Subtracts a calendar day, not 24 hours: see `nextTime`.
  if (moment.getTime() > nowMs) moment.setDate(moment.getDate() - 1);
  return Math.min(nowMs, moment.getTime() + (seconds ?? 59) * 1000 + 999);
}

function parseDateTime(text: string): number | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})[T ]\d{1,2}:\d{2}/.exec(text) ?? [];
  if (year === undefined) return null;
  // JavaScript reads the 31st of a shorter month as a day of the next month.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCDate() !== Number(day)) return null;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? null : moment;
}
