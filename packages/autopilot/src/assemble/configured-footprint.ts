import { hasOwnMemory, type Footprint, type LoadConfig, type Resources } from '@mai/memory-ledger';
import type { CandidateProfile } from '../ports/catalog-port.js';
import type { Estimate } from '../ports/estimator-port.js';

/**
 * The footprint from the configuration, used when there is no other estimate.
 *
 * `minMemoryBytes` is the memory of the model without a GPU. `minVramBytes` is the part that moves to a GPU
 * with memory of its own together with all layers. If only a share of the layers moves, the same share of this
 * part moves. The rest stays in RAM. If only `minVramBytes` is configured, `minVramBytes` counts as all memory
 * of the model.
 *
 * @param growthBySize - the growth of a model of this size. Null: it is not known, as for a model that is not on disk.
 */
export function configuredFootprint(
  { minMemoryBytes, minVramBytes }: Pick<CandidateProfile, 'minMemoryBytes' | 'minVramBytes'>,
  { offloadRatio }: LoadConfig,
  resources: Resources,
  growthBySize: Estimate['growthBySize'],
): Footprint | null {
  if (minMemoryBytes === null && minVramBytes === null) return null;
  const movableBytes = minVramBytes ?? 0;
  const totalBytes = Math.max(minMemoryBytes ?? 0, movableBytes);
  const gpu = resources.gpus.find((one) => hasOwnMemory(one, resources));
  const movedBytes = gpu === undefined ? 0 : Math.round(movableBytes * (offloadRatio ?? 1));
  return {
    ram: { mappedBytes: 0, anonymousBytes: totalBytes - movedBytes },
    gpus:
      gpu === undefined || movedBytes === 0
        ? []
        : [{ deviceKey: gpu.deviceKey, bytes: movedBytes }],
    interval: null,
    growth: growthBySize?.(totalBytes) ?? null,
    source: 'configured',
    confidence: 'low',
  };
}
