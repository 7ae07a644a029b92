import { totalBytesOf, type Footprint, type FootprintInterval } from '@mai/memory-ledger';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import { COVERAGE } from '../estimate/interval.js';
import type { MemoryParts } from '../memory/memory-parts.js';

/** LM Studio's estimate of a load: weights and caches, without compute buffers. */
export interface LMStudioEstimate {
  readonly totalBytes: number;
  /** The part on GPUs. */
  readonly totalVramBytes: number;
}

/** A footprint after it was compared with LM Studio's estimate. */
export interface CombinedFootprint {
  readonly footprint: Footprint;
  /**
   * LM Studio's figure divided by the same parts of the footprint; `null` unless the two differ by over a quarter.
   */
  readonly disagreementRatio: number | null;
}

const DISAGREEMENT = 0.25;
/** Usual share of compute buffers relative to LM Studio's figure, for a model without a header. */
const MISSING_SHARE = 0.12;
/** Half-width of the interval around LM Studio's figure: users report errors in both directions. */
const DOUBT = 0.25;

/**
 * Combines a footprint with LM Studio's estimate of the same load. LM Studio leaves out the compute buffers, so the
 * compute buffers are first added to LM Studio's figure.
 *
 * - A footprint does not change if it was measured, or if its weights and KV cache are exact.
 * - For other footprints of medium confidence, LM Studio's figure widens the interval.
 * - For low confidence (a file size, an unknown architecture), LM Studio's figure replaces the footprint, which is
 *   then at least the size of the weights.
 * - The figures are ignored where the total is not a positive number, or the part on GPUs is NaN.
 */
export function combineWithLMStudio(
  footprint: Footprint | FootprintEstimate,
  lmstudio: LMStudioEstimate,
): CombinedFootprint {
  const { totalBytes, totalVramBytes } = lmstudio;
  if (!(totalBytes > 0 && Number.isFinite(totalBytes)) || Number.isNaN(totalVramBytes))
    return { footprint, disagreementRatio: null };
  const counted = comparableBytes(footprint);
  const ratio = counted > 0 ? totalBytes / counted : 1;
  const disagreementRatio = Math.abs(ratio - 1) > DISAGREEMENT ? ratio : null;
  if (isSure(footprint)) return { footprint, disagreementRatio };
  const missing =
    'parts' in footprint ? totalBytesOf(footprint) - counted : MISSING_SHARE * totalBytes;
  const theirs = Math.round(totalBytes + missing);
  const joined =
    footprint.confidence === 'medium'
      ? { ...footprint, interval: widened(footprint.interval, theirs, theirs) }
      : replace(footprint, lmstudio, Math.max(theirs, leastBytes(footprint)));
  return { footprint: joined, disagreementRatio };
}

/**
 * Whether the footprint's weights and KV cache are at least as certain as LM Studio's figure, which counts only
 * these two parts.
 */
function isSure(footprint: Footprint | FootprintEstimate): boolean {
  const { source, confidence } = footprint;
  if (source === 'measured' || confidence === 'high') return true;
  return (
    'exactParts' in footprint &&
    confidence === 'medium' &&
    footprint.exactParts.includes('weights') &&
    footprint.exactParts.includes('kvCache')
  );
}

/** Replaces the footprint by LM Studio's figure, spread over the same pools. */
function replace(footprint: Footprint, lmstudio: LMStudioEstimate, theirs: number): Footprint {
  const onGpus = footprint.gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const vramShare = Math.min(1, Math.max(0, lmstudio.totalVramBytes / lmstudio.totalBytes));
  const vram = footprint.gpus.length === 0 ? 0 : Math.round(theirs * vramShare);
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => ({
    deviceKey,
    bytes: Math.round(onGpus > 0 ? (vram * bytes) / onGpus : vram / footprint.gpus.length),
  }));
  const ram = Math.max(0, theirs - gpus.reduce((sum, { bytes }) => sum + bytes, 0));
  const mappedBytes = Math.min(footprint.ram.mappedBytes, ram);
  const doubted = {
    coverage: COVERAGE,
    lowBytes: Math.max(leastBytes(footprint), Math.floor(theirs * (1 - DOUBT))),
    highBytes: Math.ceil(theirs * (1 + DOUBT)),
  };
  // An interval from a header is kept. An interval from a file size is dropped, because LM Studio's KV cache is
  // more certain.
  const own = footprint.source === 'file-size' ? null : footprint.interval;
  return {
    ram: { mappedBytes, anonymousBytes: ram - mappedBytes },
    gpus,
    interval: widened(own, doubted.lowBytes, doubted.highBytes) ?? doubted,
    growth: footprint.growth,
    source: 'lmstudio',
    confidence: 'low',
  };
}

function widened(
  interval: FootprintInterval | null,
  lowBytes: number,
  highBytes: number,
): FootprintInterval | null {
  if (interval === null) return null;
  return {
    coverage: interval.coverage,
    lowBytes: Math.min(interval.lowBytes, lowBytes),
    highBytes: Math.max(interval.highBytes, highBytes),
  };
}

/** The fewest bytes that a load takes: the bytes of the weights whose size is known. */
function leastBytes(footprint: Footprint | FootprintEstimate): number {
  if ('parts' in footprint)
    return partsOf(footprint).reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
  return footprint.source === 'file-size' ? (footprint.interval?.lowBytes ?? 0) : 0;
}

/** The parts of a footprint that LM Studio counts too. */
function comparableBytes(footprint: Footprint | FootprintEstimate): number {
  if (!('parts' in footprint)) return totalBytesOf(footprint);
  return partsOf(footprint).reduce(
    (sum, { weightsBytes, kvCacheBytes, recurrentStateBytes }) =>
      sum + weightsBytes + kvCacheBytes + recurrentStateBytes,
    0,
  );
}

function partsOf({ parts }: FootprintEstimate): readonly MemoryParts[] {
  return [parts.ram, ...parts.gpus];
}
