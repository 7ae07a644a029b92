import type { SurveyedGpu } from '@mai/lmstudio-adapter';
import { matchSurvey, sizeOf, type GpuSnapshot } from '@mai/resource-monitor';
import { formatBytes } from '../words.js';
import { warning, type Check } from './check.js';

/** Two tools differ by less than this share where they mean the same memory. */
const TOLERANCE = 0.1;

/**
 * Warns where LM Studio's engine takes a GPU for larger or smaller than it is. The engine spreads layers by its own
 * figure. With Vulkan, it sees two thirds of the memory that an AMD APU may use (lmstudio-bug-tracker #935: 80 of 120 GB; #1480), and
 * counts system memory to that of a card (#1216: 20 GB for 12 GB).
 */
export function checkSurveyedSizes(
  gpus: readonly GpuSnapshot[],
  surveyed: readonly SurveyedGpu[],
): readonly Check[] {
  // With unified memory a GPU has none of its own: LM Studio reports how much RAM the system lets it wire.
  const known = gpus.filter(({ totalBytes, kind }) => totalBytes !== null && kind !== 'unified');
  return [...matchSurvey(known, { gpus: surveyed })].flatMap(([gpu, seen]) => {
    const total = gpu.totalBytes ?? 0;
    const size = sizeOf(seen, gpu.memory);
    if (size === null || Math.abs(size - total) <= TOLERANCE * total) return [];
    const few = size < total;
    return [
      warning(
        'GPU',
        `LM Studio's engine counts ${formatBytes(size)} for ${gpu.name ?? 'the GPU'}, but it has ${formatBytes(total)}. ${
          few
            ? 'A model that needs more may be refused, or run partly on the CPU.'
            : 'It may put more layers there than fit, so that a load fails.'
        }`,
        `If another runtime supports this GPU${seen.vendor === null ? ', such as one for ROCm or CUDA' : ''}, select it in LM Studio (Settings, Runtime).`,
      ),
    ];
  });
}
