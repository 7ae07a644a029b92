import type { ResourceSnapshot } from '../snapshot.js';

/** What a model takes when resident, in bytes. */
export interface ModelFootprint {
  readonly ram: {
    /** Memory-mapped weights. They count in full: a model that is paged in from disk does not run. */
    readonly mappedBytes: number;
    readonly anonymousBytes: number;
  };
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** Of the sum over all pools; its upper end is what has to fit. Null where the figures are exact. */
  readonly interval: { readonly highBytes: number } | null;
}

/**
 * Whether a footprint fits into what is available. What lives in shared GPU memory is taken from RAM.
 * Null where a pool that it needs is unmeasured and no measured one is too small.
 */
export function canFit(snapshot: ResourceSnapshot, footprint: ModelFootprint): boolean | null {
  const stretched = stretch(footprint);
  let ramBytes = stretched.ramBytes;
  const verdicts: (boolean | null)[] = [];
  for (const { deviceKey, bytes } of stretched.gpus) {
    const gpu = snapshot.gpus.find((candidate) => candidate.deviceKey === deviceKey);
    if (gpu === undefined) return false;
    const shared = gpu.memory === 'shared';
    if (shared) ramBytes += bytes;
    // Without a known cap a shared GPU is limited by RAM alone.
    const free = gpu.availableBytes ?? (shared ? Number.POSITIVE_INFINITY : null);
    verdicts.push(free === null ? null : bytes <= free);
  }
  const { availableBytes } = snapshot.ram;
  verdicts.push(availableBytes === null ? null : ramBytes <= availableBytes);
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

/**
 * The upper end of the interval, its margin spread over the pools in proportion to what is not mapped:
 * the mapped weights are exact.
 */
function stretch({ ram, gpus, interval }: ModelFootprint): {
  readonly ramBytes: number;
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
} {
  const inexact = ram.anonymousBytes + gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const marginBytes = Math.max(0, (interval?.highBytes ?? 0) - inexact - ram.mappedBytes);
  const factor = inexact === 0 ? 1 : 1 + marginBytes / inexact;
  const rest = inexact === 0 ? marginBytes : 0;
  return {
    ramBytes: ram.mappedBytes + ram.anonymousBytes * factor + rest,
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes: bytes * factor })),
  };
}
