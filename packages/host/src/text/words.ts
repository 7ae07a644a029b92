const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as text: `3.4 GiB`, `512 MiB`, `0 B`; a dash for null. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let value = Math.abs(bytes);
  let unit = 0;
  // 1000, not 1024: '1,010 MiB' is harder to read than '0.99 GiB'. Half less, because 999.5 is shown as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 0.995 ? 1 : 2;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** A count with commas between thousands: `32,768`; a dash for null. */
export function formatCount(count: number | null): string {
  return count === null ? '-' : String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count with its noun: `1 model`, `2 models`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A name or a path as a part of a sentence. Control characters, such as line breaks, are written as escapes. */
export function onOneLine(name: string): string {
  return name.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

/** The address of a runtime as text: `127.0.0.1:1234`, `https://host:443`. */
export function displayAddress(baseUrl: string): string {
  return baseUrl.replace(/^ws:\/\//, '').replace(/^wss:/, 'https:');
}

/** A part of a total: `9.4 of 16.0 GiB`. Both have the unit of the total. */
export function formatShare(usedBytes: number, totalBytes: number): string {
  const total = formatBytes(totalBytes);
  const unit = UNITS.findIndex((one) => total.endsWith(` ${one}`));
  const used = usedBytes / 1024 ** unit;
  return `${used.toFixed(used >= 100 || unit === 0 ? 0 : 1)} of ${total}`;
}

/** Tokens per second as text: `142`, `6.5`, `0.4`. */
export function formatSpeed(tokensPerSecond: number): string {
  return tokensPerSecond >= 9.95
    ? formatCount(Math.round(tokensPerSecond))
    : String(Number(tokensPerSecond.toFixed(1)));
}

/** A ratio as a percentage: `65 %`; a dash for null. */
export function formatPercent(ratio: number | null): string {
  return ratio === null ? '-' : `${Math.round(ratio * 100)} %`;
}

/** A duration as text: `820 ms`, `9.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 59.95) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return twoUnits(Math.round(seconds));
}

function twoUnits(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const first = units.findIndex(([size]) => seconds >= size);
  const [size, name] = units[first] ?? units[3];
  const next = units[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
  const head = `${Math.floor(seconds / size)} ${name}`;
  return next === undefined || rest === 0 ? head : `${head} ${rest} ${next[1]}`;
}

/**
 * A moment in local time: `2031-05-04 14:05:09`, or `14:05:09` where `nowMs` is on the same day.
 */
export function formatMoment(atMs: number, nowMs: number | null = null): string {
  const moment = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(':');
  if (nowMs !== null && new Date(nowMs).toDateString() === moment.toDateString()) return time;
  const date = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join('-');
  return `${date} ${time}`;
}

/** The age of a moment as text: `10 min ago`, `just now`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ago = nowMs - atMs;
  return ago < 1000 ? 'just now' : `${formatDuration(ago)} ago`;
}
