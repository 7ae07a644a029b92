import type * as z from 'zod/mini';
import type { Quantity } from '../format/field-types.js';
import { didYouMean, didYouMeanSentence } from './did-you-mean.js';
import { type Finding, type PathStep, quote } from './issue.js';
import { listOf, valueAt } from './raw-value.js';
import { suggestValue, type ValueKind } from './suggest-value.js';

// The message of zod/mini for every issue, because no locale is loaded.
const NO_MESSAGE = 'Invalid input';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** Field names of related tools, and the names of this format for the same fields. */
const RENAMED: Readonly<Record<string, string>> = {
  name: 'display_name',
  model: 'key',
  model_key: 'key',
  id: 'key',
  tier: 'category',
  context_length: 'context_window',
  max_tokens: 'max_output_tokens',
  cooldown: 'cool_down',
  chains: 'fallback_chains',
  fallbacks: 'fallback_chains',
  hard_limit: 'hard_limit_percent',
  headroom: 'min_headroom',
};

/** Functions that query the schema of the file. */
export interface FormatQuestions {
  /** The keys that a map at a path may have; empty where the map may have any key. */
  readonly knownKeys: (path: readonly PathStep[]) => readonly string[];
  /** Whether a value is valid at a path; `undefined` asks whether the field may be left out. */
  readonly accepts: (path: readonly PathStep[], value: unknown) => boolean;
  /** The quantity that the text at a path states; `null` for any other value. */
  readonly quantity: (path: readonly PathStep[]) => Quantity | null;
}

/** A zod issue as findings in this package's wording. */
export function translateZodIssue(
  issue: z.core.$ZodIssue,
  raw: unknown,
  format: FormatQuestions,
): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const value = valueAt(raw, path);
  const finding = (message: string, suggestion: string | null = null): Finding[] => [
    { code: 'INVALID_VALUE', path, at: 'value', message, suggestion },
  ];
  const suggest = (kind: ValueKind | null): string | null =>
    suggestValue(kind, path, value, (offered) => format.accepts(path, offered));
  const expected = issue.message === NO_MESSAGE ? null : issue.message;

  if (value === undefined && issue.code !== 'unrecognized_keys') {
    const name = String(path.at(-1) ?? 'configuration');
    const message = `${quote(name)} is missing`;
    const suggestion = `add ${name}: ${name === 'version' ? '1' : '...'}`;
    return [{ code: 'MISSING', path, at: 'value', message, suggestion }];
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        unknownKey([...path, key], format.knownKeys(path), valueAt(raw, path)),
      );
    case 'invalid_type': {
      const wanted = expected ?? TYPE_NAMES[issue.expected] ?? issue.expected;
      const isNumber = issue.expected === 'number' || issue.expected === 'int';
      return finding(
        `must be ${wanted}, not ${quote(value)}`,
        suggest(isNumber ? 'number' : format.quantity(path)),
      );
    }
    case 'invalid_value': {
      const options = issue.values.map(String);
      const wanted = options.length === 1 ? options.join('') : `one of ${options.join(', ')}`;
      return finding(
        `must be ${wanted}, not ${quote(value)}`,
        path.join('.') === 'version'
          ? versionAdvice(value)
          : typeof value === 'string'
            ? didYouMeanSentence(value, missingFrom(listAround(raw, path), options))
            : null,
      );
    }
    case 'too_small':
    case 'too_big':
      return finding(
        boundMessage(issue, value),
        issue.origin === 'array' ? 'add an entry, or remove the line' : null,
      );
    case 'invalid_format':
    case 'invalid_union':
    case 'custom': {
      const wanted = expected ?? 'something else';
      return finding(`must be ${wanted}, not ${quote(value)}`, suggest(format.quantity(path)));
    }
    case 'invalid_key': {
      const key = path.at(-1) ?? '';
      const wanted = issue.issues[0]?.message ?? 'something else';
      return [
        {
          code: 'INVALID_VALUE',
          path,
          at: 'key',
          message: `must be ${wanted}, not ${quote(key)}`,
          suggestion: null,
        },
      ];
    }
    default:
      return finding(`is not valid: ${quote(value)}`);
  }
}

/** The list that holds the value at `path`; empty where a map holds it. */
function listAround(raw: unknown, path: readonly PathStep[]): readonly unknown[] {
  return listOf(valueAt(raw, path.slice(0, -1)));
}

/** The `names` that are not `present`. A present name is not offered, because it would be a duplicate. */
function missingFrom(present: readonly unknown[], names: readonly string[]): readonly string[] {
  return names.filter((name) => !present.includes(name));
}

function unknownKey(path: readonly PathStep[], known: readonly string[], map: unknown): Finding {
  const key = String(path.at(-1));
  const present = typeof map === 'object' && map !== null ? Object.keys(map) : [];
  const free = missingFrom(present, known);
  const renamed = RENAMED[key.toLowerCase().replaceAll('-', '_')];
  const meant = renamed !== undefined && free.includes(renamed) ? renamed : didYouMean(key, free);
  const suggestion =
    key === '<<'
      ? 'merge keys are not read, so write the fields out, or alias a whole section (load: *name)'
      : meant !== null
        ? `did you mean ${JSON.stringify(meant)}?`
        : known.length > 0
          ? `known here: ${known.join(', ')}`
          : 'remove it';
  return {
    code: 'UNKNOWN_KEY',
    path,
    at: 'key',
    message: `unknown key ${quote(key)}`,
    suggestion,
  };
}

function boundMessage(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  value: unknown,
): string {
  if (issue.origin === 'array') return 'must not be empty';
  const [bound, above] =
    issue.code === 'too_small' ? [issue.minimum, true] : [issue.maximum, false];
  const relation = above
    ? issue.inclusive === false
      ? 'above'
      : 'at least'
    : issue.inclusive === false
      ? 'below'
      : 'at most';
  return `must be ${relation} ${bound}, not ${quote(value)}`;
}

function versionAdvice(value: unknown): string {
  return typeof value === 'number' && value > 1
    ? 'this file was written for a newer Mai, so update Mai'
    : 'write version: 1';
}
