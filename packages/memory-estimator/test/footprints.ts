import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import type { Observation } from '../src/calibration/observation.js';
import { ONE_SEQUENCE } from './load-config.js';

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;

export const ENGINE = { name: 'llama.cpp-linux-x86_64-avx2', version: '1.50.2' };

/** A footprint in RAM, in mebibytes, with an interval that reaches further up than down. */
export function footprintOf(mappedMiB: number, anonymousMiB: number): Footprint {
  const total = (mappedMiB + anonymousMiB) * MIB;
  return {
    ram: { mappedBytes: mappedMiB * MIB, anonymousBytes: anonymousMiB * MIB },
    gpus: [],
    interval: { coverage: 0.9, lowBytes: total * 0.98, highBytes: total * 1.02 + 250 * MIB },
    source: 'gguf-header',
    growth: null,
    confidence: 'high',
  };
}

/** A load that took `measuredMiB` where the estimate was `predictedMiB`. */
export function observed(
  modelKey: string,
  predictedMiB: number,
  measuredMiB: number,
  facts: Partial<Observation> & { readonly config?: LoadConfig } = {},
): Observation {
  const { config = ONE_SEQUENCE, ...rest } = facts;
  return {
    host: 'here',
    modelKey,
    loadConfig: config,
    engine: ENGINE,
    predicted: { anonymousBytes: predictedMiB * MIB, gpus: [] },
    measured: { anonymousBytes: measuredMiB * MIB, gpus: [], method: 'process' },
    timestampMs: 0,
    ...rest,
  };
}

/** A repeatable source of random numbers from 0 to 1 (mulberry32 by Tommy Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
