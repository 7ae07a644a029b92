const BYTES_PER_KIB = 1024;
const MS_PER_SECOND = 1000;

/** Bytes in the unit that every `*_gb` field counts in. */
export const BYTES_PER_GIB = BYTES_PER_KIB ** 3;

// Memory is sold, reported and configured in powers of two, whatever the unit is called; `*_gb` in this
// file counts GiB too. So `8GB` is 8 GiB here: where the two readings differ, this is the one that
// keeps more memory free.
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

/** A number and a unit: `1GiB`, `8 GB`, `512MiB`. Valid as a JSON Schema pattern. */
export const SIZE_PATTERN = /^\d+(\.\d+)? ?([KMGTkmgt]([Ii]?[Bb])?|[Bb])$/;

/** Numbers with units, one or more: `20s`, `1h30m`, `500 ms`. Valid as a JSON Schema pattern. */
export const DURATION_PATTERN = /^\d+(\.\d+)? ?(ms|s|m|h|d)( ?\d+(\.\d+)? ?(ms|s|m|h|d))*$/;

/** Bytes of a size that matches `SIZE_PATTERN`; `null` for any other text. */
export function parseSizeBytes(text: string): number | null {
  if (!SIZE_PATTERN.test(text)) return null;
  const unit = /[A-Za-z]/.exec(text)?.[0].toLowerCase() ?? 'b';
  const bytes = Math.round(Number.parseFloat(text) * (SIZE_UNITS[unit] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Milliseconds of a duration that matches `DURATION_PATTERN`; `null` for any other text. */
export function parseDurationMs(text: string): number | null {
  if (!DURATION_PATTERN.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?) ?(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0);
  }
  const ms = Math.round(totalMs);
  return Number.isSafeInteger(ms) ? ms : null;
}
