import { LOAD_CONFIG_FIELDS, type Footprint, type LoadConfig } from '@mai/memory-ledger';
import { isJsonObject } from '../files/json-object.js';

/** An engine that runs models. */
export interface Engine {
  /** For example `llama.cpp-linux-x86_64-avx2`, for an engine of LM Studio. */
  readonly name: string;
  /** Such as `1.50.2`. */
  readonly version: string;
}

/**
 * Bytes that a load added to a machine's memory. Mapped weights are left out, because the header has their exact
 * size.
 */
export interface MeasuredMemory {
  /** Anonymous memory of the engine's processes; `null` where it was not measured. */
  readonly anonymousBytes: number | null;
  readonly gpus: Footprint['gpus'];
  /**
   * `process`: read from the engine's process. `free-memory`: the change of the machine's free RAM, which
   * is less certain. `buffers`: the buffers that the engine printed, which are exact but leave out the memory of the
   * engine's process itself.
   */
  readonly method: 'process' | 'free-memory' | 'buffers';
}

/** A load that is estimated. */
export interface CalibrationTarget {
  readonly modelKey: string;
  /** Compared field by field. `null` stands for LM Studio's default, but is not equal to it. */
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
}

/** A load with its estimate and its measurement. */
export interface Observation extends CalibrationTarget {
  /** Name of the machine. */
  readonly host: string;
  /** The estimate before any calibration, without mapped weights. */
  readonly predicted: { readonly anonymousBytes: number; readonly gpus: Footprint['gpus'] };
  readonly measured: MeasuredMemory;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}

const METHODS: readonly MeasuredMemory['method'][] = ['process', 'free-memory', 'buffers'];

/** The bytes on a GPU; `null` where the GPU is not in the list. */
export function bytesOn(gpus: Footprint['gpus'], deviceKey: string): number | null {
  return gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null;
}

/** Whether the readings of a measurement are independent of other programs. */
export function isSure({ measured }: Observation): boolean {
  return measured.method !== 'free-memory';
}

export function sameEngine(a: Engine, b: Engine): boolean {
  return a.name === b.name && a.version === b.version;
}

/** Whether parsed JSON is an observation. */
export function isObservation(value: unknown): value is Observation {
  if (!isJsonObject(value)) return false;
  const { host, modelKey, loadConfig, engine, predicted, measured, timestampMs } = value;
  return (
    typeof host === 'string' &&
    typeof modelKey === 'string' &&
    isJsonObject(loadConfig) &&
    LOAD_CONFIG_FIELDS.every((key) => key in loadConfig) &&
    isJsonObject(engine) &&
    typeof engine['name'] === 'string' &&
    typeof engine['version'] === 'string' &&
    isJsonObject(predicted) &&
    isBytes(predicted['anonymousBytes']) &&
    areGpus(predicted['gpus']) &&
    isJsonObject(measured) &&
    (measured['anonymousBytes'] === null || isBytes(measured['anonymousBytes'])) &&
    areGpus(measured['gpus']) &&
    METHODS.some((method) => method === measured['method']) &&
    typeof timestampMs === 'number'
  );
}

function areGpus(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (gpu: unknown) =>
        isJsonObject(gpu) && typeof gpu['deviceKey'] === 'string' && isBytes(gpu['bytes']),
    )
  );
}

function isBytes(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
