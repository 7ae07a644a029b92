import { totalBytesOf } from '@mai/memory-ledger';
import type { LoadOption } from '../input.js';

/** The speed of a fast disk, assumed where no load time is predicted. */
const LOAD_BYTES_PER_MS = 1_000_000;

/** How long it takes to load `bytes` where no load time is predicted, in milliseconds. */
export function bytesToMs(bytes: number): number {
  return bytes / LOAD_BYTES_PER_MS;
}

/**
 * How long a load option takes to load, in milliseconds: as predicted, else from its size; 0 when neither is
 * known.
 */
export function loadTimeMs({ footprint, speed }: LoadOption): number {
  const predictedMs = speed?.loadMs?.expected ?? null;
  if (predictedMs !== null) return predictedMs;
  return footprint === null ? 0 : bytesToMs(totalBytesOf(footprint));
}
