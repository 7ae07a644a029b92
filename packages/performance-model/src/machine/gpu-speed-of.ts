import { AMD_CHIPS, AMD_GPUS } from './amd-gpus.js';
import { GEFORCE_GPUS } from './geforce-gpus.js';
import type { GpuFigures } from './gpu-figures.js';
import { parseGpuName, SIZE, type GpuMaker, type GpuName } from './gpu-name.js';
import { generationOf, type GpuSpeed } from './machine-speed.js';
import { NVIDIA_GPUS } from './nvidia-gpus.js';
import { APPLE_GPUS, INTEL_GPUS, MOORE_THREADS_GPUS, QUALCOMM_GPUS } from './other-gpus.js';

const GIGA = 1e9;
const TERA = 1e12;
/** Words that tell one GPU from another: `RTX 4070` and `RTX 4070 Ti` differ. */
const VARIANTS = new Set([
  'ti',
  'super',
  'laptop',
  'ada',
  'xt',
  'xtx',
  'gre',
  'pro',
  'max',
  'ultra',
  'd',
  'duo',
  'sff',
  'server',
  'embedded',
]);
/** Bytes per second of 16 lanes of PCI Express 3.0, one way. Each version doubles it. Source: PCI-SIG, 8 GT/s with 128b/130b coding. */
const PCIE_3_X16 = 15.75e9;
/**
 * Lanes and version of a GPU's connector, relative to 16 lanes of version 3.0. Cards of version 5.0 count as 4.0, because the
 * slot decides and most slots have 4.0. Listings give laptop GPUs of the 40 and 50 series 8 or 16 lanes. They count as 16,
 * because an RTX 4070 Laptop copied 61 GB of experts at 20 GB per second (`bench/data/speed`), more than 8 lanes carry.
 */
const LINKS: readonly (readonly [RegExp, number])[] = [
  // These share RAM.
  [
    /^(m\d( |$)|a\d\d pro|80\d0s|max (pro )?395|strix|gfx1151|gb10|dgx|thor|agx|orin|xavier|arc 1|adreno|snapdragon)/,
    0,
  ],
  // 4 lanes of version 1.1.
  [/^(cmp|p10[24])/, 1 / 16],
  // 8 lanes of version 3.0.
  [/^rx (460|5[56]0)$/, 0.5],
  [
    /^(gtx|titan|quadro|mx\d|rtx 20|v100|t\d|gv100|gp100|p\d|tesla|m\d\d|k\d|(pro )?vega|radeon vii|wx|r9 |rx [45]\d0($| ))/,
    1,
  ],
  // 8 lanes.
  [
    /^(rtx (3050|4060( ti)?$|50[56]0( ti)?$)|rtx (pro (2000|4000 sff)|2000 ada|a1000|a400)$|a2$|rx (53|55|66|74|76)\d\d|rx 7700s|w(5500|6600|7500|7600)|arc b|arc pro (a[345]0|b[56]0)|arc a3)/,
    1,
  ],
  // 4 lanes.
  [/^(rx 6[45]00|w6400)/, 0.5],
  [/^/, 2],
];

interface Entry {
  readonly figures: GpuFigures;
  readonly maker: GpuMaker;
  readonly words: readonly string[];
  /**
   * Number of words; the size of the memory counts half. It tells GPUs of one name apart, and no other ones: an RTX 3060 Ti with
   * 8 GB is an `rtx 3060 ti`, not an `rtx 3060 8gb`.
   */
  readonly rank: number;
}

const entriesOf = (maker: GpuMaker, ...lists: readonly (readonly GpuFigures[])[]) =>
  lists.flat().map((figures): Entry => {
    const words = figures[0].split(' ');
    return {
      figures,
      maker,
      words,
      rank: words.length - (words.some((word) => SIZE.test(word)) ? 0.5 : 0),
    };
  });

const TABLE: readonly Entry[] = [
  ...entriesOf('nvidia', GEFORCE_GPUS, NVIDIA_GPUS),
  ...entriesOf('amd', AMD_GPUS),
  ...entriesOf('intel', INTEL_GPUS),
  ...entriesOf('apple', APPLE_GPUS),
  ...entriesOf('qualcomm', QUALCOMM_GPUS),
  ...entriesOf('moore threads', MOORE_THREADS_GPUS),
];
const CHIPS = entriesOf('amd', AMD_CHIPS);

/**
 * The published speed of a GPU.
 *
 * @param deviceName - as a driver reports it, e.g. `NVIDIA GeForce RTX 4070 Laptop GPU`
 * @param backend - default: `cuda` for NVIDIA, `metal` for Apple, `vulkan` for all others
 * @param memoryBytes - the memory of the GPU, or of the machine if they share it. It tells GPUs of one name apart: an RTX 3080 of 12 GB
 *   and a Mac with a smaller M4 Max have another bandwidth. Null, the default: not known
 * @returns null where the table does not have the GPU, e.g. for GPUs that share RAM of any speed, and for slices of a GPU
 */
export function gpuSpeedOf(
  deviceName: string,
  backend?: GpuSpeed['backend'],
  memoryBytes: number | null = null,
): GpuSpeed | null {
  const name = parseGpuName(deviceName, memoryBytes);
  const found = name.isPart ? null : (entryOf(name, TABLE) ?? entryOf(name, CHIPS));
  if (found === null) return null;
  const [key, gigabytesPerSecond, teraoperations] = found.figures;
  return {
    backend: backend ?? usualBackend(found.maker),
    generation: generationOf(deviceName),
    memoryBandwidth: gigabytesPerSecond * GIGA,
    operationsPerSecond: teraoperations === null ? null : teraoperations * TERA,
    linkBandwidth: linkOf(key),
  };
}

/** The entry for a name: all of its words are in the name. If several entries match, the one with the highest rank. */
function entryOf(name: GpuName, table: readonly Entry[]): Entry | null {
  const { words, maker, hasAlternatives } = name;
  const matching = table.filter(
    (entry) =>
      (maker === null || entry.maker === maker) &&
      entry.words.every((word) => words.includes(word)),
  );
  const highest = Math.max(...matching.map(({ rank }) => rank));
  // Of several GPUs, all must be equally fast. Then the one with the fewest operations counts.
  const possible = hasAlternatives ? matching : matching.filter(({ rank }) => rank === highest);
  const [best, ...others] = [...possible].sort(
    (a, b) => (a.figures[2] ?? Infinity) - (b.figures[2] ?? Infinity),
  );
  if (best === undefined || others.some(({ figures }) => figures[1] !== best.figures[1]))
    return null;
  if (hasAlternatives) return best;
  // `AMD RYZEN AI MAX+ 395 w/ Radeon 8060S` names a processor before the GPU.
  const from = Math.min(...best.words.map((word) => words.indexOf(word)));
  const isOther = words
    .slice(from)
    .some((word) => VARIANTS.has(word) && !best.words.includes(word));
  return isOther ? null : best;
}

function usualBackend(maker: GpuMaker): GpuSpeed['backend'] {
  if (maker === 'nvidia') return 'cuda';
  return maker === 'apple' ? 'metal' : 'vulkan';
}

function linkOf(name: string): number | null {
  const share = LINKS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
  return share === 0 ? null : share * PCIE_3_X16;
}
