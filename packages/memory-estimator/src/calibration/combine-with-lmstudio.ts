import {
  totalBytesOf,
  type Footprint,
  type FootprintEstimate,
  type FootprintInterval,
  type MemoryParts,
} from '../estimate/footprint.js';
import { COVERAGE } from '../estimate/interval.js';

/** What LM Studio says that a load takes: weights and caches, without compute buffers. */
export interface LMStudioEstimate {
  readonly totalBytes: number;
  /** The part of it on GPUs. */
  readonly totalVramBytes: number;
}

/** A footprint, and how far LM Studio's own figure lies from it. */
export interface CombinedFootprint {
  readonly footprint: Footprint;
  /** LM Studio's figure as a share of the comparable one, where they differ by more than a quarter; else null. */
  readonly disagreementRatio: number | null;
}

const DISAGREEMENT = 0.25;
/** What LM Studio leaves out where no header says how much: compute buffers are some 12 % in the median. */
const MISSING_SHARE = 0.12;
/** Its users report it wrong both ways. */
const DOUBT = 0.25;

/**
 * Joins an estimate with LM Studio's own. LM Studio leaves out the compute buffers: they are added. A header
 * that gives weights and cache exactly stands; LM Studio's figure widens the interval of a less certain
 * estimate, and takes the place of one that rests on the file size or an unknown architecture, though never
 * below its weights. A figure that is no positive number of bytes says nothing.
 */
export function combineWithLMStudio(
  footprint: Footprint | FootprintEstimate,
  lmstudio: LMStudioEstimate,
): CombinedFootprint {
  if (!(lmstudio.totalBytes > 0 && Number.isFinite(lmstudio.totalBytes)))
    return { footprint, disagreementRatio: null };
  const counted = comparableBytes(footprint);
  const ratio = counted > 0 ? lmstudio.totalBytes / counted : 1;
  const disagreementRatio = Math.abs(ratio - 1) > DISAGREEMENT ? ratio : null;
  if (isSure(footprint)) return { footprint, disagreementRatio };
  const missing =
    'parts' in footprint ? totalBytesOf(footprint) - counted : MISSING_SHARE * lmstudio.totalBytes;
  const theirs = Math.round(lmstudio.totalBytes + missing);
  const joined =
    footprint.confidence === 'medium'
      ? { ...footprint, interval: widened(footprint.interval, theirs, theirs) }
      : replace(footprint, lmstudio, Math.max(theirs, leastBytes(footprint)));
  return { footprint: joined, disagreementRatio };
}

/** Whether LM Studio knows nothing better: it counts weights and cache alone. */
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

/** LM Studio's figure in place of a guess. */
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
  // A file's size says next to nothing about its cache, and LM Studio knows that; a header says more.
  const own = footprint.source === 'file-size' ? null : footprint.interval;
  return {
    ram: { mappedBytes, anonymousBytes: ram - mappedBytes },
    gpus,
    interval: widened(own, doubted.lowBytes, doubted.highBytes) ?? doubted,
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

/** What a load takes at least: the weights, as far as they are known. */
function leastBytes(footprint: Footprint | FootprintEstimate): number {
  if ('parts' in footprint)
    return partsOf(footprint).reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
  return footprint.source === 'file-size' ? (footprint.interval?.lowBytes ?? 0) : 0;
}

/** What of a footprint LM Studio counts too. */
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
