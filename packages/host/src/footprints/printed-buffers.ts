import { totalBytesOf, type Footprint } from '@mai/memory-ledger';
import type { EngineBuffer, EngineReport } from '@mai/lmstudio-adapter';
import type { FootprintEstimate } from '@mai/memory-estimator';

/**
 * The footprint of a resident from the buffers that its engine printed while it loaded. Null where the report is not
 * complete, or where the engine's name of a GPU cannot be matched to a GPU of the machine.
 *
 * llama.cpp prints no line for the weights of a vision projector, so they are taken from the header. It prints nothing
 * about the process itself either. So the interval keeps the distance between the estimate and its upper end.
 *
 * @param estimate - the estimate of the same load, with weights that are not locked
 * @param fromHeader - the same estimate by parts; null where the header cannot be read
 * @param gpuKeys - the GPUs that the engine uses
 */
export function fromPrintedBuffers(
  { buffers, offloadedLayers }: Pick<EngineReport, 'buffers' | 'offloadedLayers'>,
  estimate: Footprint,
  fromHeader: Pick<FootprintEstimate, 'parts'> | null,
  gpuKeys: readonly string[],
): Footprint | null {
  const printed = new Set(buffers.map(({ part }) => part));
  // A watch that begins during a load misses the first lines. The number of layers is printed before the weights.
  const hasStart = gpuKeys.length === 0 || offloadedLayers !== null;
  if (!hasStart || !printed.has('weights') || !printed.has('compute')) return null;
  const onGpu = buffers.filter(({ device }) => !isInRam(device));
  const names = new Set(onGpu.map(({ device }) => device.replace(MAPPED, '')));
  const [gpuKey] = gpuKeys;
  // With several GPUs, the order in which the engine numbers them is not known.
  if (names.size > 0 && (names.size > 1 || gpuKeys.length > 1 || gpuKey === undefined)) return null;

  const inRam = buffers.filter(({ device }) => isInRam(device));
  const mapped = inRam.filter(({ part, device }) => part === 'weights' && MAPPED.test(device));
  const mappedBytes = sum(mapped);
  const projector = fromHeader?.parts ?? null;
  const footprint = {
    ram: {
      mappedBytes,
      anonymousBytes: sum(inRam) - mappedBytes + (projector?.ram.visionProjectorBytes ?? 0),
    },
    gpus: gpuKeys.map((deviceKey) => ({
      deviceKey,
      bytes:
        sum(onGpu) +
        (projector?.gpus.find((one) => one.deviceKey === deviceKey)?.visionProjectorBytes ?? 0),
    })),
  };
  const total = totalBytesOf(footprint);
  const { interval, growth } = estimate;
  return {
    ...footprint,
    interval: interval && {
      coverage: interval.coverage,
      lowBytes: total,
      highBytes: total + Math.max(0, interval.highBytes - totalBytesOf(estimate)),
    },
    growth,
    source: 'measured',
    confidence: fromHeader === null ? 'medium' : 'high',
  };
}

/** Weights that stay in the mapped file: `CPU_Mapped`, `Metal_Mapped`. */
const MAPPED = /_Mapped$/;
/** llama.cpp's names of memory in RAM. `CUDA_Host` is pinned memory, `CPU_REPACK` weights in another layout. */
const IN_RAM = /^(?:CPU|CPU_\w+|AMX|BLAS|\w+_Host)$/;

function isInRam(device: string): boolean {
  return IN_RAM.test(device);
}

function sum(buffers: readonly EngineBuffer[]): number {
  return buffers.reduce((total, { bytes }) => total + bytes, 0);
}
