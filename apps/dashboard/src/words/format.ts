const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as text: `3.4 GiB`, `512 MiB`, `0 B`; a dash for null. The same form as in the command line. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '–';
  let value = Math.abs(bytes);
  let unit = 0;
  // At four digits, not at 1024: '1010 MiB' is harder to read than '0.99 GiB'. 999.5 is written as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 0.995 ? 1 : 2;
  return `${bytes < 0 ? '−' : ''}${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** A change of bytes with its sign: `+1.2 GiB`, `−300 MiB`, `±0 B`. */
export function formatChange(bytes: number): string {
  if (bytes === 0) return '±0 B';
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes);
}

/** A count with commas between thousands: `32,768`; a dash for null. */
export function formatCount(count: number | null): string {
  return count === null ? '–' : String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Tokens of context, short: `8k` for 8,192, `128k` for 131,072, `1M` for 1,048,576, `900` for 900; a dash for null. */
export function formatTokens(tokens: number | null): string {
  if (tokens === null) return '–';
  if (tokens < 1000) return String(tokens);
  const unit = tokens % 1024 === 0 ? 1024 : 1000;
  // 999.5k is written as 1.0M. A multiple of 1024 is exact, so it keeps its unit.
  const most = unit === 1024 ? unit ** 2 : 999.5 * unit;
  const [count, name] = tokens < most ? [tokens / unit, 'k'] : [tokens / unit ** 2, 'M'];
  return `${count >= 9.95 || Number.isInteger(count) ? Math.round(count) : count.toFixed(1)}${name}`;
}

/** A ratio as a percentage: `65 %`; a dash for null. */
export function formatPercent(ratio: number | null): string {
  return ratio === null ? '–' : `${Math.round(ratio * 100)} %`;
}

/** A count with its noun: `1 model`, `2 models`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A duration as text: `820 ms`, `9.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. The same form as in the command line. */
export function formatDuration(durationMs: number): string {
  // Each bound lies where the text before it is rounded up to the next unit, or to one digit more.
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return twoUnits(minutes, 'min', whole % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoUnits(hours, 'h', minutes % 60, 'min');
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function twoUnits(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`;
}

/** A time of day: `14:05:09`; with its date where that is another day than now: `4 May 14:05`. */
export function formatMoment(atMs: number, nowMs: number): string {
  const moment = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  if (moment.toDateString() === new Date(nowMs).toDateString()) {
    return `${clock}:${two(moment.getSeconds())}`;
  }
  return `${moment.getDate()} ${MONTHS[moment.getMonth()] ?? ''} ${clock}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** The bytes of a text such as `8 GiB`, `500MB` or `12` (GiB); null where the text is not an amount. */
export function parseBytes(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?)?\s*$/i.exec(text);
  if (match === null) return null;
  const [, figure = '', prefix = '', binary = ''] = match;
  const power = prefix === '' ? 3 : ' kmgt'.indexOf(prefix.toLowerCase());
  const base = prefix === '' || binary !== '' ? 1024 : 1000;
  const bytes = Math.round(Number(figure) * base ** power);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}
