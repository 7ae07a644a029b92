import type { EstimateSettings } from '@mai/host';
import { suggest } from '@mai/host';
import { CHOICES } from '../command-line/estimate-spec.js';
import { UsageError } from '../usage-error.js';

/** One question of `mai estimate --stdin`. */
export interface EstimateRequest {
  readonly file: string;
  readonly settings: EstimateSettings;
}

type Read = (value: unknown, name: string) => string | number | boolean;

const count: Read = (value, name) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  // JSON has no infinity, but 1e400 is parsed as one.
  const told = typeof value === 'number' ? String(value) : JSON.stringify(value);
  throw new UsageError(`${name} is a whole number, not ${told}.`);
};
const flag: Read = (value, name) => {
  if (typeof value === 'boolean') return value;
  throw new UsageError(`${name} is true or false, not ${JSON.stringify(value)}.`);
};
const choice =
  (option: keyof typeof CHOICES): Read =>
  (value, name) => {
    const choices: readonly string[] = CHOICES[option];
    if (typeof value === 'string' && choices.includes(value)) return value;
    throw new UsageError(`${name} is one of ${choices.join(', ')}, not ${JSON.stringify(value)}.`);
  };

/** The fields of a line: the setting and the parser of each. */
const FIELDS: Readonly<Record<string, readonly [keyof EstimateSettings, Read]>> = {
  context: ['contextLengthTokens', count],
  kvK: ['kvCacheTypeK', choice('kv-k')],
  kvV: ['kvCacheTypeV', choice('kv-v')],
  flashAttention: ['flashAttention', flag],
  batch: ['batchTokens', count],
  ubatch: ['ubatchTokens', count],
  parallel: ['parallelSequences', count],
  kvUnified: ['kvUnified', flag],
  swaFull: ['swaFull', flag],
  gpuLayers: ['gpuLayers', count],
  gpuBackend: ['gpuBackend', choice('gpu-backend')],
  cpu: ['cpu', choice('cpu')],
};

/**
 * Reads one line of `--stdin`. A field that is absent or null takes LM Studio's default. @throws
 * UsageError
 */
export function parseRequestLine(line: string): EstimateRequest {
  const object = parseObject(line);
  const { file, ...rest } = object;
  if (typeof file !== 'string' || file === '') {
    throw new UsageError('Each line needs "file": the path of a GGUF file.');
  }
  const settings: Record<string, unknown> = Object.fromEntries(
    Object.values(FIELDS).map(([setting]) => [setting, null]),
  );
  for (const [name, value] of Object.entries(rest)) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field === undefined) {
      const guess = suggest(name, Object.keys(FIELDS));
      throw new UsageError(
        `There is no field ${JSON.stringify(name)}.${guess === null ? '' : ` Did you mean ${guess}?`}`,
      );
    }
    const [setting, read] = field;
    if (value !== null) settings[setting] = read(value, name);
  }
  return { file, settings: settings as unknown as EstimateSettings };
}

/** The file of a line, where the line has one; for the answer to a wrong line. */
export function fileOfLine(line: string): string | null {
  try {
    const { file } = parseObject(line);
    return typeof file === 'string' ? file : null;
  } catch {
    return null;
  }
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UsageError('This line is not JSON. Write one JSON object a line.', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('This line is not a JSON object. Write one JSON object a line.');
  }
  return value as Readonly<Record<string, unknown>>;
}
