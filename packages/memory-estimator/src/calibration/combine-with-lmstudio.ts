import { totalBytesOf, type Footprint, type FootprintEstimate } from '../estimate/footprint.js';
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
 * whose architecture is known stands; LM Studio's figure widens the interval of a less certain one, and
 * takes the place of one that rests on the file size or an unknown architecture.
 */
export function combineWithLMStudio(
  footprint: Footprint | FootprintEstimate,
  lmstudio: LMStudioEstimate,
): CombinedFootprint {
  const total = totalBytesOf(footprint);
  const counted = comparableBytes(footprint);
  const ratio = counted > 0 ? lmstudio.totalBytes / counted : 1;
  const disagreementRatio = Math.abs(ratio - 1) > DISAGREEMENT ? ratio : null;
  const { interval, source, confidence } = footprint;
  if (source === 'measured' || confidence === 'high') return { footprint, disagreementRatio };
  const missing = 'parts' in footprint ? total - counted : MISSING_SHARE * lmstudio.totalBytes;
  const theirs = Math.round(lmstudio.totalBytes + missing);
  if (confidence === 'medium') {
    const widened =
      interval === null
        ? null
        : {
            coverage: interval.coverage,
            lowBytes: Math.min(interval.lowBytes, theirs),
            highBytes: Math.max(interval.highBytes, theirs),
          };
    return { footprint: { ...footprint, interval: widened }, disagreementRatio };
  }
  return { footprint: replace(footprint, lmstudio, theirs), disagreementRatio };
}

/** LM Studio's figure in place of a guess; the guess still counts in the interval. */
function replace(footprint: Footprint, lmstudio: LMStudioEstimate, theirs: number): Footprint {
  const total = totalBytesOf(footprint);
  const onGpus = footprint.gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const vram =
    footprint.gpus.length === 0
      ? 0
      : Math.round((theirs * lmstudio.totalVramBytes) / Math.max(1, lmstudio.totalBytes));
  const gpus = footprint.gpus.map(({ deviceKey, bytes }) => ({
    deviceKey,
    bytes: Math.round(onGpus > 0 ? (vram * bytes) / onGpus : vram / footprint.gpus.length),
  }));
  const ram = theirs - gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const mappedBytes = Math.min(footprint.ram.mappedBytes, ram);
  return {
    ram: { mappedBytes, anonymousBytes: ram - mappedBytes },
    gpus,
    interval: {
      coverage: COVERAGE,
      lowBytes: Math.floor(Math.min(total, theirs) * (1 - DOUBT)),
      highBytes: Math.ceil(Math.max(total, theirs * (1 + DOUBT))),
    },
    source: 'lmstudio',
    confidence: 'low',
  };
}

/** What of a footprint LM Studio counts too. */
function comparableBytes(footprint: Footprint | FootprintEstimate): number {
  if (!('parts' in footprint)) return totalBytesOf(footprint);
  return [footprint.parts.ram, ...footprint.parts.gpus].reduce(
    (sum, { weightsBytes, kvCacheBytes, recurrentStateBytes }) =>
      sum + weightsBytes + kvCacheBytes + recurrentStateBytes,
    0,
  );
}
