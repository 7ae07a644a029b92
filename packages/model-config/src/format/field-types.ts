import { KV_CACHE_TYPES, TIERS } from '@mai/memory-ledger';
import * as z from 'zod/mini';
import { MODEL_KEY_PATTERN } from './model-key.js';
import {
  DURATION_PATTERN,
  HOURS_PATTERN,
  parseDurationMs,
  parseSizeBytes,
  SIZE_PATTERN,
} from './quantities.js';

// The kinds of values in models.yaml, and the registry of help texts.
// A custom `error` is a noun phrase that says what was expected.

// A duration with at least one digit above 0.
const POSITIVE_DURATION_PATTERN = new RegExp(`^(?=.*[1-9])${DURATION_PATTERN.source.slice(1)}`);

// YAML reads ~ alone as null, so the home folder itself is ~/.
const FOLDER_PATTERN = /^(?:~?[\\/]|[A-Za-z]:[\\/])/;

/** The help text of a field, and the value that applies if the field is not set. */
interface FieldHelp {
  readonly description: string;
  readonly default?: string | number;
}

/** The help texts of all fields, under the keywords of JSON Schema. */
export const fieldDocs = z.registry<FieldHelp>();

export const documented = <Schema extends z.core.$ZodType>(
  schema: Schema,
  description: string,
  fallback?: string | number,
): Schema => {
  fieldDocs.add(schema, {
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  });
  return schema;
};
export const optional = <Schema extends z.core.$ZodType>(
  schema: Schema,
  description: string,
  fallback?: string | number,
) => documented(z.optional(schema), description, fallback);

/** The quantities that models.yaml states as a number with a unit. */
export type Quantity = 'size' | 'duration';

/** The quantity of each schema that `size`, `duration` or `positiveDuration` created. */
export const quantities = z.registry<{ readonly quantity: Quantity }>();

export const matching = (pattern: RegExp, expected: string) =>
  z.string(expected).check(z.regex(pattern, expected));
export const text = () => matching(/\S/, 'some text');
// The second check is for numbers that are too large for any machine, such as 999999999TiB.
const quantityText = (
  quantity: Quantity,
  pattern: RegExp,
  expected: string,
  isValid: (text: string) => boolean,
) => {
  const schema = z
    .string(expected)
    .check(z.regex(pattern, { error: expected, abort: true }), z.refine(isValid, expected));
  quantities.add(schema, { quantity });
  return schema;
};
export const size = () =>
  quantityText(
    'size',
    SIZE_PATTERN,
    'a size such as 1GiB or 512MiB',
    (text) => parseSizeBytes(text) !== null,
  );
export const duration = () =>
  quantityText(
    'duration',
    DURATION_PATTERN,
    'a duration such as 20s, 10m or 1h30m',
    (text) => parseDurationMs(text) !== null,
  );
export const positiveDuration = () =>
  quantityText(
    'duration',
    POSITIVE_DURATION_PATTERN,
    'a duration above 0, such as 20s, 10m or 1h30m',
    (text) => (parseDurationMs(text) ?? 0) > 0,
  );
export const hours = () =>
  matching(HOURS_PATTERN, 'two times of the day that differ, such as 22:00-07:00');
export const modelKey = () => matching(MODEL_KEY_PATTERN, 'a model key as LM Studio lists it');
export const folder = () =>
  matching(FOLDER_PATTERN, 'an absolute path of a folder, or a path that begins with ~/');
export const percent = () => z.number().check(z.gt(0), z.lte(100));
export const percentOrZero = () => z.number().check(z.gte(0), z.lte(100));
export const ratio = () => z.number().check(z.gte(0), z.lte(1));
export const gibibytes = () => z.number().check(z.gte(0), z.lte(1_000_000));
export const tokens = () => z.int().check(z.gte(1), z.lte(1_000_000_000));
export const tokensPerSecond = () => z.number().check(z.gte(0), z.lte(1_000_000));
export const share = () =>
  z.union([z.enum(['max', 'off']), ratio()], 'max, off, or a share of the layers from 0 to 1');
export const tier = () => z.enum(TIERS);
export const kvCacheType = () => z.enum(KV_CACHE_TYPES);
