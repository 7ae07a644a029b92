import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { SimulatedLoadOption, SimulatedModel } from '../src/machine/simulated-model.js';
import type { TraceRow } from '../src/trace/trace.js';

export const GIB = 1024 ** 3;

/** A model that takes RAM only. */
export function model(
  modelKey: string,
  gib: number,
  quality: number,
  loadSeconds: number,
  cheaperLoadOptions: readonly SimulatedLoadOption[] = [],
): SimulatedModel {
  return {
    profile: {
      modelKey,
      displayName: modelKey,
      tier: 'medium',
      capabilities: ['chat'],
      contextLengthTokens: 8192,
      maxContextLengthTokens: 32_768,
      minMemoryBytes: null,
      minVramBytes: null,
      loadConfig: DEFAULT_LOAD_CONFIG,
      ttlMs: null,
      downloaded: true,
      refusal: null,
      fileStamp: null,
      expandedFrom: null,
    },
    footprintBytes: gib * GIB,
    vramBytes: 0,
    quality,
    loadMs: loadSeconds * 1000,
    cheaperLoadOptions,
  };
}

/** A row of a machine with 32 GiB and no GPU. */
export function row(seconds: number, othersGib: number, change: Partial<TraceRow> = {}): TraceRow {
  return {
    tMs: seconds * 1000,
    ram: { totalBytes: 32 * GIB, othersBytes: othersGib * GIB },
    gpus: [],
    cpuOthersRatio: 0.1,
    onBattery: false,
    requests: { ratePerMinute: 0, meanSeconds: 0 },
    events: [],
    ...change,
  };
}
