import type { GpuFigures } from './gpu-figures.js';
import { generationOf, type GpuSpeed } from './machine-speed.js';
import { NVIDIA_GPUS } from './nvidia-gpus.js';
import { APPLE_GPUS, OTHER_GPUS } from './other-gpus.js';

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
]);
/** Synonyms, and the word that the table uses. */
const SYNONYMS = new Map([
  ['mobile', 'laptop'],
  ['max-q', 'laptop'],
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
  [/^(m\d|80\d0s|max (pro )?395|strix|gb10|dgx|thor|agx|orin|xavier|arc 1|adreno|snapdragon)/, 0],
  [/^(gtx|titan|quadro|rtx 20|v100|t4|p100|p4|m40|vega|radeon vii|rx (4[78]|5[789])0$)/, 1],
  // 8 lanes.
  [
    /^(rtx (3050|4060( ti)?$|50[56]0( ti)?$)|rtx (pro 2000|2000 ada)$|rx (5500|66|76)\d\d|rx 7700s|arc b|arc a3)/,
    1,
  ],
  // 4 lanes.
  [/^(rx 6[45]00)/, 0.5],
  [/^/, 2],
];

const entriesOf = (list: readonly GpuFigures[], backend: GpuSpeed['backend']): readonly Entry[] =>
  list.map((figures) => ({ figures, backend, words: figures[0].split(' ') }));

interface Entry {
  readonly figures: GpuFigures;
  /** The usual back end. */
  readonly backend: GpuSpeed['backend'];
  readonly words: readonly string[];
}

const TABLE: readonly Entry[] = [
  ...entriesOf(NVIDIA_GPUS, 'cuda'),
  ...entriesOf(APPLE_GPUS, 'metal'),
  ...entriesOf(OTHER_GPUS, 'vulkan'),
];

/**
 * The published speed of a GPU.
 *
 * @param deviceName - as a driver reports it, e.g. `NVIDIA GeForce RTX 4070 Laptop GPU`
 * @param backend - default: `cuda` for NVIDIA, `metal` for Apple, `vulkan` for all others
 * @returns null where the table does not have the GPU, e.g. for GPUs that share RAM of any speed
 */
export function gpuSpeedOf(deviceName: string, backend?: GpuSpeed['backend']): GpuSpeed | null {
  const found = entryOf(wordsOf(deviceName));
  if (found === null) return null;
  const [name, gigabytesPerSecond, teraoperations] = found.figures;
  return {
    backend: backend ?? found.backend,
    generation: generationOf(deviceName),
    memoryBandwidth: gigabytesPerSecond * GIGA,
    operationsPerSecond: teraoperations === null ? null : teraoperations * TERA,
    linkBandwidth: linkOf(name),
  };
}

/** The entry for a name: all of its words are in the name. If several entries match, the one with the most words. */
function entryOf(words: readonly string[]): Entry | null {
  const [best] = TABLE.filter((entry) => entry.words.every((word) => words.includes(word))).sort(
    (a, b) => b.words.length - a.words.length,
  );
  if (best === undefined) return null;
  // `AMD RYZEN AI MAX+ 395 w/ Radeon 8060S` names a processor before the GPU.
  const from = Math.min(...best.words.map((word) => words.indexOf(word)));
  const isOther = words
    .slice(from)
    .some((word) => VARIANTS.has(word) && !best.words.includes(word));
  return isOther ? null : best;
}

function wordsOf(deviceName: string): readonly string[] {
  const name = deviceName
    .toLowerCase()
    .replace(/\((r|tm)\)/g, ' ')
    // `RTX4070Ti` and `A100-SXM4-80GB` are written in one word.
    .replace(/\b(rtx|gtx|rx)(?=\d)/g, '$1 ')
    .replace(/(\d{4})(ti|xtx|xt|super)\b/g, '$1 $2');
  return name
    .split(/[^a-z\d-]+/)
    .flatMap((word) => (SYNONYMS.has(word) ? [word] : word.split('-')))
    .map((word) => SYNONYMS.get(word) ?? word)
    .filter((word) => word !== '');
}

function linkOf(name: string): number | null {
  const share = LINKS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
  return share === 0 ? null : share * PCIE_3_X16;
}
