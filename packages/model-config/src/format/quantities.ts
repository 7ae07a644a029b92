const BYTES_PER_KIB = 1024;
const MS_PER_SECOND = 1000;

/** Bytes of a GiB, the unit of every `*_gb` field. */
export const BYTES_PER_GIB = BYTES_PER_KIB ** 3;

// `8GB` is read as 8 GiB, not as 8,000,000,000 bytes. Memory is sold and reported in powers of two, and
// the `*_gb` fields count GiB too. For `min_headroom` this reading keeps more memory free.
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: BYTES_PER_KIB,
  m: BYTES_PER_KIB ** 2,
  g: BYTES_PER_GIB,
  t: BYTES_PER_KIB ** 4,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: MS_PER_SECOND,
  m: 60 * MS_PER_SECOND,
  h: 3600 * MS_PER_SECOND,
  d: 24 * 3600 * MS_PER_SECOND,
};

/** A number and a unit: `1GiB`, `8 GB`, `512MiB`. Also the pattern in the JSON Schema. */
export const SIZE_PATTERN = /^\d+(\.\d+)? ?([KMGTkmgt]([Ii]?[Bb])?|[Bb])$/;

/** One or more numbers with units: `20s`, `1h30m`, `500 ms`. Also the pattern in the JSON Schema. */
export const DURATION_PATTERN = /^\d+(\.\d+)? ?(ms|s|m|h|d)( ?\d+(\.\d+)? ?(ms|s|m|h|d))*$/;

/** Two different times of the day: `22:00-07:00`. Also the pattern in the JSON Schema. */
export const HOURS_PATTERN = /^(?!(.{5})-\1$)([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/;

/** The minutes of the day at which hours such as `22:00-07:00` begin and end; `null` for any other text. */
export function parseHours(
  text: string,
): { readonly fromMinute: number; readonly toMinute: number } | null {
  if (!HOURS_PATTERN.test(text)) return null;
  const minuteAt = (index: number): number =>
    Number(text.slice(index, index + 2)) * 60 + Number(text.slice(index + 3, index + 5));
  return { fromMinute: minuteAt(0), toMinute: minuteAt(6) };
}

/**
 * The bytes of a size such as `1GiB` or `512MiB`, counted in powers of two; `null` for any other text and
 * for sizes beyond 2^53 bytes.
 */
export function parseSizeBytes(text: string): number | null {
  if (!SIZE_PATTERN.test(text)) return null;
  const unit = /[A-Za-z]/.exec(text)?.[0].toLowerCase() ?? 'b';
  const bytes = Math.round(Number.parseFloat(text) * (SIZE_UNITS[unit] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/**
 * The whole milliseconds of a duration such as `500ms`, `20s` or `1h30m`, at least 1 for a duration above 0.
 * `null` for any other text and for durations beyond 2^53 milliseconds.
 */
export function parseDurationMs(text: string): number | null {
  if (!DURATION_PATTERN.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?) ?(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0);
  }
  // Rounds up to 1, so that a duration above 0 stays above 0.
  const ms = totalMs > 0 ? Math.max(1, Math.round(totalMs)) : 0;
  return Number.isSafeInteger(ms) ? ms : null;
}

/** A size in the largest unit that needs no fraction: `1GiB`, `1536MiB`. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, [
    ['TiB', BYTES_PER_KIB ** 4],
    ['GiB', BYTES_PER_GIB],
    ['MiB', BYTES_PER_KIB ** 2],
    ['KiB', BYTES_PER_KIB],
    ['B', 1],
  ]);
}

/** A duration in the largest unit that needs no fraction: `20s`, `90s`, `10m`. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, [
    ['h', 3600 * MS_PER_SECOND],
    ['m', 60 * MS_PER_SECOND],
    ['s', MS_PER_SECOND],
    ['ms', 1],
  ]);
}

/** A ratio of 0 to 1 as a percentage: 0.825 is 82.5. */
export function formatPercent(ratio: number): number {
  // Without rounding, 0.07 would be 7.000000000000001.
  return Number((ratio * 100).toFixed(6));
}

function inLargestUnit(
  amount: number,
  units: readonly (readonly [name: string, size: number])[],
): string {
  const [name, size] = units.find((unit) => amount > 0 && amount % unit[1] === 0) ?? ['', 1];
  return `${amount / size}${name === '' ? (units.at(-1)?.[0] ?? '') : name}`;
}
