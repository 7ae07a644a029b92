import { formatDuration } from '../terminal/format.js';

/** A moment in the clocks of this machine: `2031-05-04 14:05:09`, or `14:05:09` where `nowMs` is on the same day. */
export function formatMoment(atMs: number, nowMs: number | null = null): string {
  const moment = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(':');
  if (nowMs !== null && new Date(nowMs).toDateString() === moment.toDateString()) return time;
  const date = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join('-');
  return `${date} ${time}`;
}

/** `10 min ago`, `just now`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ago = nowMs - atMs;
  return ago < 1000 ? 'just now' : `${formatDuration(ago)} ago`;
}
