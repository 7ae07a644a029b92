import type { FootprintParts, WhatIf } from '../api/api.generated.js';

/** One part of a footprint over all devices. */
export interface PartTotal {
  readonly name: string;
  /** Class that colours it; see ledger-bar.css. */
  readonly kind: string;
  readonly bytes: number;
}

/**
 * The footprint that an answer is about. Where only the size of a model is known, its parts would be guesses, and the footprint that was
 * judged is shown as a whole, as in the command line.
 */
export function footprintOf({
  basis,
  footprint,
  parts,
  totalBytes,
  lowBytes,
  highBytes,
}: Pick<WhatIf, 'basis' | 'footprint' | 'parts' | 'totalBytes' | 'lowBytes' | 'highBytes'>): {
  readonly parts: readonly PartTotal[];
  readonly totalBytes: number;
  readonly lowBytes: number | null;
  readonly highBytes: number | null;
} {
  if (basis !== 'size') return { parts: totalParts(parts), totalBytes, lowBytes, highBytes };
  const judged = footprint ?? { totalBytes, lowBytes, highBytes };
  return {
    parts: [{ name: 'All parts', kind: 'rest', bytes: judged.totalBytes }],
    totalBytes: judged.totalBytes,
    lowBytes: judged.lowBytes,
    highBytes: judged.highBytes,
  };
}

/** The parts of a footprint, summed over the devices. Parts without memory are left out. */
export function totalParts(devices: readonly FootprintParts[]): readonly PartTotal[] {
  const sum = (bytesOf: (parts: FootprintParts) => number) =>
    devices.reduce((total, parts) => total + bytesOf(parts), 0);
  return [
    { name: 'Weights', kind: 'weights', bytes: sum((one) => one.weightsBytes) },
    {
      name: 'KV cache',
      kind: 'kv-cache',
      bytes: sum((one) => one.kvCacheBytes + one.recurrentStateBytes),
    },
    {
      name: 'Compute buffers',
      kind: 'compute',
      bytes: sum((one) => one.computeBytes + one.outputBytes),
    },
    { name: 'Vision', kind: 'vision', bytes: sum((one) => one.visionBytes) },
    { name: 'Other', kind: 'rest', bytes: sum((one) => one.otherBytes) },
  ].filter(({ bytes }) => bytes > 0);
}
