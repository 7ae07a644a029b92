import type { EstimateSettings } from '@mai/memory-estimator';
import { didYouMean } from '@mai/model-config';
import { isRecord } from '../guards.js';
import { HostError } from '../host-error.js';
import { ESTIMATE_CHOICES } from './setting-values.js';

/** One line of `mai estimate --stdin`. */
export interface EstimateLine {
  readonly file: string;
  /** The settings that the line gives. */
  readonly settings: Partial<EstimateSettings>;
  /** Name of the engine; null: the engine that would load the file here. */
  readonly engine: string | null;
}

const count = (value: unknown, name: string): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  // `JSON.parse` reads 1e400 as Infinity, which `JSON.stringify` would write as null.
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  throw new HostError('INVALID_REQUEST', `${name} must be a whole number, not ${shown}.`);
};
const flag = (value: unknown, name: string): boolean => {
  if (typeof value === 'boolean') return value;
  throw new HostError(
    'INVALID_REQUEST',
    `${name} must be true or false, not ${JSON.stringify(value)}.`,
  );
};
const choice = <Option extends keyof typeof ESTIMATE_CHOICES>(
  option: Option,
  value: unknown,
  name: string,
): (typeof ESTIMATE_CHOICES)[Option][number] => {
  const choices: readonly (typeof ESTIMATE_CHOICES)[Option][number][] = ESTIMATE_CHOICES[option];
  const found = choices.find((one) => one === value);
  if (found !== undefined) return found;
  throw new HostError(
    'INVALID_REQUEST',
    `${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}.`,
  );
};

type Read = (value: unknown, name: string) => Partial<EstimateSettings>;

/** The fields of a line, and the setting that each field sets. */
const FIELDS: Readonly<Record<string, Read>> = {
  context: (value, name) => ({ contextLengthTokens: count(value, name) }),
  kvK: (value, name) => ({ kvCacheTypeK: choice('kv-k', value, name) }),
  kvV: (value, name) => ({ kvCacheTypeV: choice('kv-v', value, name) }),
  flashAttention: (value, name) => ({ flashAttention: flag(value, name) }),
  batch: (value, name) => ({ batchTokens: count(value, name) }),
  ubatch: (value, name) => ({ ubatchTokens: count(value, name) }),
  parallel: (value, name) => ({ parallelSequences: count(value, name) }),
  kvUnified: (value, name) => ({ kvUnified: flag(value, name) }),
  swaFull: (value, name) => ({ swaFull: flag(value, name) }),
  gpuLayers: (value, name) => ({ gpuLayers: count(value, name) }),
  gpuBackend: (value, name) => ({ gpuBackend: choice('gpu-backend', value, name) }),
  cpu: (value, name) => ({ cpu: choice('cpu', value, name) }),
};

/**
 * Reads one line of `mai estimate --stdin`. A field that is absent or null takes LM Studio's default.
 * @throws HostError `INVALID_REQUEST`
 */
export function parseEstimateLine(line: string): EstimateLine {
  const object = parseObject(line);
  const { file, engine = null, ...rest } = object;
  if (typeof file !== 'string' || file === '') {
    throw new HostError('INVALID_REQUEST', 'Each line needs "file": the path of a GGUF file.');
  }
  if (engine !== null && typeof engine !== 'string') {
    throw new HostError(
      'INVALID_REQUEST',
      `engine must be the name of an engine, not ${JSON.stringify(engine)}.`,
    );
  }
  let settings: Partial<EstimateSettings> = {};
  for (const [name, value] of Object.entries(rest)) {
    const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (read === undefined) {
      const guess = didYouMean(name, [...Object.keys(FIELDS), 'engine']);
      throw new HostError(
        'INVALID_REQUEST',
        `There is no field ${JSON.stringify(name)}.${guess === null ? '' : ` Did you mean ${guess}?`}`,
      );
    }
    if (value !== null) settings = { ...settings, ...read(value, name) };
  }
  return { file, settings, engine };
}

/**
 * The file that a line names; null where the line names no file. The answer to a line with an error contains
 * this name.
 */
export function fileOfEstimateLine(line: string): string | null {
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
    throw new HostError(
      'INVALID_REQUEST',
      'This line is not JSON. Write one JSON object on each line.',
      {
        cause: error,
      },
    );
  }
  if (isRecord(value)) return value;
  throw new HostError(
    'INVALID_REQUEST',
    'This line is not a JSON object. Write one JSON object on each line.',
  );
}
