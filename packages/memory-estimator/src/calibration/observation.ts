import type { LoadConfig } from '../settings/load-config.js';

/** An engine that loads models: LM Studio's `llama.cpp-linux-x86_64-avx2`, `1.50.2`. */
export interface Engine {
  readonly name: string;
  readonly version: string;
}

/** Bytes that a load adds to a machine. Mapped weights are never measured: the header knows them. */
export interface MeasuredMemory {
  /** Memory of the engine's own; null where it could not be told. */
  readonly anonymousBytes: number | null;
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** `process`: read from the engine process. `free-memory`: from what the machine had left; less sure. */
  readonly method: 'process' | 'free-memory';
}

/** One load: what was expected of it, and what it took. */
export interface Observation {
  /** The machine that it was seen on. */
  readonly host: string;
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
  readonly predicted: {
    readonly anonymousBytes: number;
    readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  };
  readonly measured: MeasuredMemory;
  readonly timestampMs: number;
}

const CONFIG_KEYS = [
  'contextLengthTokens',
  'parallelSequences',
  'offloadRatio',
  'kvCacheTypeK',
  'kvCacheTypeV',
  'flashAttention',
  'cpuExpertRatio',
] as const;

/** What lies on a GPU; null where it is not among them. */
export function bytesOn(gpus: MeasuredMemory['gpus'], deviceKey: string): number | null {
  return gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null;
}

export function sameLoadConfig(a: LoadConfig, b: LoadConfig): boolean {
  return CONFIG_KEYS.every((key) => a[key] === b[key]);
}

export function sameEngine(a: Engine, b: Engine): boolean {
  return a.name === b.name && a.version === b.version;
}

/** Whether parsed JSON is an observation as this version writes it. */
export function isObservation(value: unknown): value is Observation {
  if (!isRecord(value)) return false;
  const { host, modelKey, loadConfig, engine, predicted, measured, timestampMs } = value;
  return (
    typeof host === 'string' &&
    typeof modelKey === 'string' &&
    isRecord(loadConfig) &&
    CONFIG_KEYS.every((key) => key in loadConfig) &&
    isRecord(engine) &&
    typeof engine['name'] === 'string' &&
    typeof engine['version'] === 'string' &&
    isRecord(predicted) &&
    isBytes(predicted['anonymousBytes']) &&
    areGpus(predicted['gpus']) &&
    isRecord(measured) &&
    (measured['anonymousBytes'] === null || isBytes(measured['anonymousBytes'])) &&
    areGpus(measured['gpus']) &&
    (measured['method'] === 'process' || measured['method'] === 'free-memory') &&
    typeof timestampMs === 'number'
  );
}

function areGpus(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (gpu: unknown) =>
        isRecord(gpu) && typeof gpu['deviceKey'] === 'string' && isBytes(gpu['bytes']),
    )
  );
}

function isBytes(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
