import type { MachineInventory } from '../inventory/inventory.js';
import type { GpuReading } from '../reading/figures.js';
import type { Reading } from '../reading/reader.js';
import type { FigureSource, GpuSnapshot } from '../snapshot.js';
import { plausible } from './plausible.js';

/** The answer of one reader. */
export interface GpuList {
  readonly source: string;
  readonly reading: Reading<readonly GpuReading[]>;
}

/** The merged facts of all readers about one GPU. */
export interface MergedGpu {
  readonly gpu: GpuReading;
  /** The reader that supplied the memory figures; null if no reader did. */
  readonly source: string | null;
  readonly passedOver: FigureSource['passedOver'];
}

/**
 * Merges the lists of several readers, given in order of trust. A GPU that is in several lists gets the key and
 * the figures of the first reader. Fields that the first reader does not know come from the next reader. Two
 * GPUs of one list are never merged, even if they are equal.
 */
export function mergeGpus(lists: readonly GpuList[]): readonly MergedGpu[] {
  const merged: MergedGpu[] = [];
  for (const { source, reading } of lists) {
    if ('reason' in reading) continue;
    const taken = new Set<number>();
    for (const gpu of reading.value.map(plausible)) {
      const index = merged.findIndex((other, at) => !taken.has(at) && isSameGpu(other.gpu, gpu));
      const entry = describe(gpu, source);
      if (index < 0) {
        taken.add(merged.push(entry) - 1);
        continue;
      }
      taken.add(index);
      merged[index] = combine(merged[index] ?? entry, entry);
    }
  }
  return merged;
}

/** Adds the inventory's names to GPUs that have a PCI address but no name. */
export function nameByInventory(
  gpus: readonly MergedGpu[],
  inventory: MachineInventory | null,
): readonly MergedGpu[] {
  if (inventory === null) return gpus;
  return gpus.map((entry) => {
    const { gpu } = entry;
    if (gpu.name !== null || gpu.pciAddress === null) return entry;
    const known = inventory.gpus.find(({ pciAddress }) => pciAddress === gpu.pciAddress);
    return { ...entry, gpu: { ...gpu, name: known?.name ?? null } };
  });
}

/** A GPU of a snapshot: the reading without the fields that only merging needs. */
export function toSnapshot(
  gpu: GpuReading,
  toEpochMs: (monotonicMs: number) => number,
): GpuSnapshot {
  return {
    deviceKey: gpu.deviceKey,
    name: gpu.name,
    vendor: gpu.vendor,
    kind: gpu.kind,
    memory: gpu.memory,
    totalBytes: gpu.totalBytes,
    usedBytes: gpu.usedBytes,
    availableBytes: gpu.availableBytes,
    utilizationRatio: gpu.utilizationRatio,
    processes: gpu.processes,
    readAtMs: gpu.readAtMonotonicMs === null ? null : toEpochMs(gpu.readAtMonotonicMs),
  };
}

/** A GPU's name without words that only some tools add, for comparing the names of two tools. */
export function comparableName(name: string): string {
  return name
    .toLowerCase()
    .replace(/\((r|tm|c)\)|[\u00ae\u2122\u00a9]/g, '')
    .replace(
      /\b(nvidia|amd|ati|intel|corporation|graphics|series|inc|advanced micro devices)\b/g,
      '',
    )
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

function isSameGpu(one: GpuReading, other: GpuReading): boolean {
  if (one.pciAddress !== null && other.pciAddress !== null) {
    return one.pciAddress === other.pciAddress;
  }
  if (one.vendor === null || one.vendor !== other.vendor) return false;
  if (one.name === null || other.name === null) return false;
  return comparableName(one.name) === comparableName(other.name);
}

function describe(gpu: GpuReading, source: string): MergedGpu {
  const served = gpu.availableBytes !== null;
  return {
    gpu,
    source: served ? source : null,
    passedOver: served ? [] : gpu.reasons.map((reason) => ({ source, reason, cause: null })),
  };
}

function combine(first: MergedGpu, second: MergedGpu): MergedGpu {
  const passedOver = [...first.passedOver, ...second.passedOver];
  const gpu = {
    ...first.gpu,
    name: first.gpu.name ?? second.gpu.name,
    pciId: first.gpu.pciId ?? second.gpu.pciId,
    pciAddress: first.gpu.pciAddress ?? second.gpu.pciAddress,
    utilizationRatio: first.gpu.utilizationRatio ?? second.gpu.utilizationRatio,
    processes: first.gpu.processes ?? second.gpu.processes,
    // A program that lists the GPU has opened it.
    closed: second.gpu.closed === null ? null : first.gpu.closed,
  };
  if (first.source !== null || second.source === null) {
    const totalBytes = gpu.totalBytes ?? second.gpu.totalBytes;
    return { gpu: { ...gpu, totalBytes }, source: first.source, passedOver };
  }
  const { kind, memory, totalBytes, totalIsEstimate, usedBytes, availableBytes } = second.gpu;
  const figures = { kind, memory, totalBytes, totalIsEstimate, usedBytes, availableBytes };
  return {
    gpu: { ...gpu, ...figures, readAtMonotonicMs: second.gpu.readAtMonotonicMs },
    source: second.source,
    passedOver,
  };
}
