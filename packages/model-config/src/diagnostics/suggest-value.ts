import {
  BYTES_PER_GIB,
  formatDuration,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
} from '../format/quantities.js';
import type { Quantity } from '../format/field-types.js';
import type { PathStep } from './issue.js';

/** The kinds of values for which a correction can be worked out. */
export type ValueKind = Quantity | 'number';

// The units that are tried for a number without a unit.
const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB'];
// Sizes outside of this range are not offered, because no author of a models.yaml means them.
const PLAUSIBLE_BYTES = { min: BYTES_PER_GIB / 16, below: 1024 * BYTES_PER_GIB };

// A number without a unit is most often a number of seconds or milliseconds.
const DURATION_UNITS = ['ms', 's'];
const PLAUSIBLE_MS = { min: 100, below: 24 * 3_600_000 };
// Smaller numbers are not offered in milliseconds, because 20 without a unit most often means 20 seconds.
const FEWEST_BARE_MS = 1000;

/** Words for the units of durations. */
const UNIT_WORDS: readonly (readonly [unit: string, words: RegExp])[] = [
  ['ms', /^(ms|msecs?|millis|milliseconds?)$/],
  ['s', /^(s|secs?|seconds?)$/],
  ['m', /^(m|mins?|minutes?)$/],
  ['h', /^(h|hrs?|hours?)$/],
  ['d', /^(d|days?)$/],
];

/**
 * How to correct a value whose unit is missing or wrong; `null` for other values. Each value that
 * a suggestion offers is valid at `path`.
 *
 * @param kind - the kind of value that is valid at `path`; `null` for other kinds.
 * @param accepts - whether a value is valid at `path`; `undefined` asks whether the field may be left out.
 */
export function suggestValue(
  kind: ValueKind | null,
  path: readonly PathStep[],
  value: unknown,
  accepts: (value: unknown) => boolean,
): string | null {
  if (value === null) {
    return accepts(undefined) ? 'write a value, or remove the line' : 'write a value';
  }
  if (kind === 'size') return suggestSize(value, accepts);
  if (kind === 'duration') return suggestDuration(value, accepts);
  if (kind === 'number' && typeof value === 'string') {
    const number = numbersIn(value, String(path.at(-1))).find(accepts);
    return number === undefined ? null : `write ${number}`;
  }
  return null;
}

function suggestSize(value: unknown, accepts: (text: string) => boolean): string | null {
  const number = bareNumber(value);
  if (number === 0) return 'write 0B';
  if (number !== null) {
    const offers = SIZE_UNITS.map((unit) => `${number}${unit}`).filter((text) => {
      const bytes = parseSizeBytes(text);
      return bytes !== null && isWithin(bytes, PLAUSIBLE_BYTES) && accepts(text);
    });
    if (offers.length === 0) return 'add a unit: B, KiB, MiB, GiB or TiB';
    return `write ${offers.map((text) => withMeaning(text, formatSize(parseSizeBytes(text) ?? 0))).join(' or ')}`;
  }
  if (typeof value !== 'string' || !/^\s*\d/.test(value)) return null;
  // A size in the right format is refused only if it is beyond 2^53 bytes.
  return /^\d+(\.\d+)? ?[KMGT]i?B$/i.test(value)
    ? 'write a smaller size'
    : 'write a number and a unit: B, KiB, MiB, GiB or TiB';
}

function suggestDuration(value: unknown, accepts: (text: string) => boolean): string | null {
  const number = bareNumber(value);
  if (number !== null && number > 0) {
    const offers = DURATION_UNITS.map((unit) => `${number}${unit}`).filter((text) => {
      const ms = parseDurationMs(text);
      if (ms === null || !isWithin(ms, PLAUSIBLE_MS) || !accepts(text)) return false;
      return text.endsWith('ms') ? number >= FEWEST_BARE_MS : true;
    });
    if (offers.length === 0) return 'add a unit: ms, s, m, h or d';
    return `write ${offers.map((text) => withMeaning(text, formatDuration(parseDurationMs(text) ?? 0))).join(' or ')}`;
  }
  if (number === null && (typeof value !== 'string' || !/^\s*\d/.test(value))) return null;
  const text = number === 0 ? '0s' : respelled(String(value));
  if (text === null) return 'write numbers and units: ms, s, m, h or d';
  if (accepts(text)) return `write ${text}`;
  const ms = parseDurationMs(text);
  if (ms === 0) return 'write a longer time, or remove the line';
  return ms === null ? 'write a shorter time' : null;
}

/** A duration whose units are words, such as `1 hour 30 min`, in the units of the format; else `null`. */
function respelled(text: string): string | null {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\.?(?:\s*(?:,|and\b))?\s*/gi)];
  if (parts.map(([part]) => part).join('') !== text.trimStart()) return null;
  const spelled = parts.map(([, amount, word = '']) => {
    const unit = UNIT_WORDS.find(([, words]) => words.test(word.toLowerCase()))?.[0];
    return unit === undefined ? null : `${amount}${unit}`;
  });
  return spelled.includes(null) ? null : spelled.join('');
}

/** The numbers that a text may stand for in this field, the most probable first. */
function numbersIn(text: string, field: string): number[] {
  const trimmed = text.trim();
  const bare = bareNumber(trimmed);
  if (bare !== null) return [bare];
  const percent = /^(\d+(?:\.\d+)?) ?(?:%|percent)$/i.exec(trimmed)?.[1];
  if (percent !== undefined) {
    return [field.includes('percent') ? Number(percent) : rounded(Number(percent) / 100)];
  }
  if (field.endsWith('_gb')) {
    const bytes = parseSizeBytes(trimmed);
    return bytes === null ? [] : [rounded(bytes / BYTES_PER_GIB)];
  }
  if (field.endsWith('_seconds')) {
    const text = respelled(trimmed);
    const ms = text === null ? null : parseDurationMs(text);
    return ms === null ? [] : [ms / 1000];
  }
  return [];
}

/** The number, if the value is a number of at least 0 or the text of such a number; else `null`. */
function bareNumber(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value)
        ? Number(value)
        : Number.NaN;
  return Number.isFinite(number) && number >= 0 ? number : null;
}

function isWithin(amount: number, { min, below }: { min: number; below: number }): boolean {
  return amount >= min && amount < below;
}

/** For example `8192MiB (8GiB)`, because a large number is easier to check in a larger unit. */
function withMeaning(text: string, meaning: string): string {
  return Number.parseFloat(text) < 1000 || meaning === text ? text : `${text} (${meaning})`;
}

function rounded(number: number): number {
  return Number(number.toFixed(3));
}
