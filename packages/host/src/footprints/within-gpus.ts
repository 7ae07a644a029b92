import type { Footprint, Resources } from '@mai/memory-ledger';

/** A footprint in which `withinGpus` has limited a share. */
interface LimitedFootprint extends Footprint {
  readonly exceedsGpus: true;
}

/**
 * The footprint of a resident, limited by the memory of the machine's GPUs. LM Studio may have put fewer layers
 * on a GPU than the load configuration says (`autoFit`). Where a model's share exceeds the memory of its GPU,
 * only the memory in use there counts on the GPU. The rest counts in RAM.
 */
export function withinGpus(
  footprint: Footprint,
  resources: Resources,
): Footprint | LimitedFootprint {
  const held = footprint.gpus.map(({ deviceKey, bytes }) => {
    const gpu = dedicatedGpu(deviceKey, resources);
    return { deviceKey, bytes: gpu === null || bytes <= gpu.totalBytes ? bytes : gpu.usedBytes };
  });
  const moved = footprint.gpus.reduce(
    (sum, { bytes }, i) => sum + bytes - (held[i]?.bytes ?? 0),
    0,
  );
  if (moved === 0) return footprint;
  const { ram } = footprint;
  return {
    ...footprint,
    ram: { ...ram, anonymousBytes: ram.anonymousBytes + moved },
    gpus: held,
    confidence: 'low',
    exceedsGpus: true,
  };
}

/** Whether `withinGpus` has limited a share of this footprint. */
export function exceedsGpus(footprint: Footprint | null): boolean {
  return footprint !== null && 'exceedsGpus' in footprint;
}

function dedicatedGpu(
  deviceKey: string,
  { gpus }: Resources,
): { readonly totalBytes: number; readonly usedBytes: number } | null {
  const gpu = gpus.find((one) => one.deviceKey === deviceKey);
  if (gpu?.memory !== 'dedicated' || gpu.totalBytes === null) return null;
  return { totalBytes: gpu.totalBytes, usedBytes: gpu.totalBytes - (gpu.availableBytes ?? 0) };
}
