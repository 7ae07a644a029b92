import type { Footprint } from './footprint.js';
import { hasOwnMemory } from './pool-name.js';
import type { Resources } from './resources.js';

/**
 * The footprints of residents, limited by the memory of the machine's GPUs. LM Studio may have put fewer layers on a GPU than the
 * load configuration says (`autoFit`). Where the shares of all residents together exceed the memory of a GPU, the memory in use on
 * this GPU is divided among the residents in proportion to their shares. The rest of each share counts in RAM. Measured shares are
 * kept, unless they alone exceed the memory in use. A footprint that this changes says so in `exceedsGpus`, and its confidence is
 * low.
 *
 * @param footprints `null`: the resident's footprint is not known.
 */
export function withinGpus<Known extends Footprint | null>(
  footprints: readonly Known[],
  resources: Pick<Resources, 'gpus' | 'unified'>,
): readonly (Known | Footprint)[] {
  const factors = new Map(
    resources.gpus.flatMap((gpu) => {
      const { deviceKey, totalBytes, availableBytes } = gpu;
      if (totalBytes === null || !hasOwnMemory(gpu, resources)) return [];
      const shares = footprints.flatMap((one) => (one === null ? [] : shareOf(one, deviceKey)));
      if (sum(shares.map(({ bytes }) => bytes)) <= totalBytes) return [];
      const usedBytes = Math.max(0, totalBytes - (availableBytes ?? 0));
      return [[deviceKey, factorsOf(shares, usedBytes)] as const];
    }),
  );
  return factors.size === 0
    ? footprints
    : footprints.map((one) => (one === null ? one : limit(one, factors)));
}

interface Share {
  readonly bytes: number;
  readonly isMeasured: boolean;
}

/** The parts of a share that stay on a GPU. */
interface Factors {
  readonly measured: number;
  readonly estimated: number;
}

function shareOf({ gpus, source }: Footprint, deviceKey: string): readonly Share[] {
  return gpus
    .filter((gpu) => gpu.deviceKey === deviceKey)
    .map(({ bytes }) => ({ bytes, isMeasured: source === 'measured' }));
}

function factorsOf(shares: readonly Share[], usedBytes: number): Factors {
  const total = (isMeasured: boolean) =>
    sum(shares.filter((one) => one.isMeasured === isMeasured).map(({ bytes }) => bytes));
  const [measured, estimated] = [total(true), total(false)];
  if (measured > usedBytes || estimated === 0) {
    const each = usedBytes / (measured + estimated);
    return { measured: each, estimated: each };
  }
  return { measured: 1, estimated: (usedBytes - measured) / estimated };
}

function limit(footprint: Footprint, factors: ReadonlyMap<string, Factors>): Footprint {
  const { ram, source } = footprint;
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => {
    const factor = factors.get(deviceKey)?.[source === 'measured' ? 'measured' : 'estimated'] ?? 1;
    return { deviceKey, bytes: Math.floor(bytes * Math.min(1, factor)) };
  });
  const moved = sum(footprint.gpus.map(({ bytes }, i) => bytes - (gpus[i]?.bytes ?? 0)));
  if (moved === 0) return footprint;
  return {
    ...footprint,
    ram: { ...ram, anonymousBytes: ram.anonymousBytes + moved },
    gpus,
    confidence: 'low',
    exceedsGpus: true,
  };
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
