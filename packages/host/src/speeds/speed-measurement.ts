import type { LoadObservation, SpeedObservation } from '@mai/performance-model';
import { isAmount, isRecord } from '../guards.js';

/** The fields of every measurement of a speed. Prompts and answers are not stored. */
interface Measured {
  /** Name of the machine. */
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}

/** Generated tokens, or tokens of a prompt, of one answer. */
export interface TokenMeasurement extends Measured {
  readonly kind: 'tokens';
  readonly modelKey: string;
  readonly observation: SpeedObservation;
  /** Whether the bandwidth of the GPU in the observation is a guess. */
  readonly isGpuGuessed: boolean;
}

/** A load. */
export interface LoadMeasurement extends Measured {
  readonly kind: 'load';
  readonly modelKey: string;
  /** The engine and its version. */
  readonly engine: string;
  readonly load: LoadObservation;
}

/** The bandwidth of RAM, as a benchmark measured it. */
export interface RamMeasurement extends Measured {
  readonly kind: 'ram';
  readonly bytesPerSecond: number;
}

export type SpeedMeasurement = TokenMeasurement | LoadMeasurement | RamMeasurement;

/** Whether parsed JSON is a measurement. */
export function isSpeedMeasurement(value: unknown): value is SpeedMeasurement {
  if (!isRecord(value)) return false;
  const { host, timestampMs, kind } = value;
  if (typeof host !== 'string' || typeof timestampMs !== 'number') return false;
  switch (kind) {
    case 'tokens':
      return (
        typeof value['modelKey'] === 'string' &&
        typeof value['isGpuGuessed'] === 'boolean' &&
        isObservation(value['observation']) &&
        // An older version stored this for a build without vector instructions, and not its threads.
        value['vectorInstructions'] !== false
      );
    case 'load':
      return (
        typeof value['modelKey'] === 'string' &&
        typeof value['engine'] === 'string' &&
        isRecord(value['load']) &&
        isPositive(value['load']['fileBytes']) &&
        isAmount(value['load']['gpuBytes']) &&
        isPositive(value['load']['loadMs'])
      );
    case 'ram':
      return isPositive(value['bytesPerSecond']);
    default:
      return false;
  }
}

const SHAPE_FIELDS = ['parameters', 'activeParameters', 'layers', 'weightBytes'] as const;
const OTHER_SHAPE_FIELDS = [
  'activeWeightBytes',
  'expertBytes',
  'activeExpertBytes',
  'kvBytesPerToken',
] as const;

function isObservation(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { shape, machine, placement, identity, depthTokens, tokensPerSecond } = value;
  const { test, generatedTokens, promptTokens } = value;
  return (
    isRecord(shape) &&
    SHAPE_FIELDS.every((field) => isPositive(shape[field])) &&
    OTHER_SHAPE_FIELDS.every((field) => isAmount(shape[field])) &&
    isAmountOrUnknown(shape['queryValuesPerToken']) &&
    isRecord(machine) &&
    (machine['gpu'] === null || isGpu(machine['gpu'])) &&
    (machine['ramBandwidth'] === null || isPositive(machine['ramBandwidth'])) &&
    isAmountOrUnknown(machine['scalarThreads']) &&
    isRecord(placement) &&
    isAmount(placement['offloadRatio']) &&
    isAmount(placement['cpuExpertRatio']) &&
    typeof placement['kvCacheType'] === 'string' &&
    isPositive(placement['microBatchTokens']) &&
    isRecord(identity) &&
    ['model', 'quantization', 'engine'].every((field) => typeof identity[field] === 'string') &&
    isAmount(depthTokens) &&
    isPositive(tokensPerSecond) &&
    isAmountOrUnknown(value['othersCpuRatio']) &&
    (test === 'decode'
      ? isPositive(generatedTokens)
      : test === 'prompt' && isPositive(promptTokens))
  );
}

const BACKENDS = ['cuda', 'vulkan', 'rocm', 'metal', 'mlx'];

function isGpu(value: unknown): boolean {
  return (
    isRecord(value) &&
    BACKENDS.some((backend) => backend === value['backend']) &&
    isPositive(value['memoryBandwidth']) &&
    (value['operationsPerSecond'] === null || isPositive(value['operationsPerSecond'])) &&
    isAmountOrUnknown(value['linkBandwidth'])
  );
}

/** Older measurements lack the field; predictions then take a usual value, as for null. */
function isAmountOrUnknown(value: unknown): boolean {
  return value === null || value === undefined || isAmount(value);
}

function isPositive(value: unknown): boolean {
  return isAmount(value) && value !== 0;
}
