/**
 * A moment as text: `22:30`, the next time that local clocks show it, or a date with a time such
 * as `2031-05-04T22:30`. Null for anything else.
 */
export function parseMoment(text: string, nowMs: number): number | null {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
  if (clock !== null) {
    const moment = new Date(nowMs);
    moment.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    // Adds a calendar day, not 24 hours: on the day of a clock change, a day has 23 or 25 hours.
    if (moment.getTime() <= nowMs) moment.setDate(moment.getDate() + 1);
    return moment.getTime();
  }
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}/.test(text.trim())) return null;
  const moment = Date.parse(text.trim());
  return Number.isNaN(moment) ? null : moment;
}
