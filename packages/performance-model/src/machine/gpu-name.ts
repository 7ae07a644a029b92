/** The companies whose GPUs the table has. Two of them may use one model number: Intel and NVIDIA both sell an A40. */
export type GpuMaker = 'nvidia' | 'amd' | 'intel' | 'apple' | 'qualcomm' | 'moore threads';

/** The parts of a GPU's name that tell it from others. */
export interface GpuName {
  readonly words: readonly string[];
  /** Null: the name does not tell the maker. */
  readonly maker: GpuMaker | null;
  /** Whether the name lists several GPUs, as a list of PCI devices does for a chip: `Radeon RX 6600/6600 XT/6600M`. */
  readonly hasAlternatives: boolean;
  /** Whether only a part of a GPU is named: a MIG slice or a virtual GPU, which gets an unknown share of the time. */
  readonly isPart: boolean;
}

const MAKERS: readonly (readonly [RegExp, GpuMaker])[] = [
  [/\b(nvidia|geforce|quadro|tesla|jetson|grid|cmp|[rg]tx(?=\b|\d))/, 'nvidia'],
  [/\b(amd|ati|radeon|instinct|rx(?=\b|\d))/, 'amd'],
  [/\b(intel|arc)\b/, 'intel'],
  [/\bapple\b/, 'apple'],
  [/\b(qualcomm|adreno|snapdragon)\b/, 'qualcomm'],
  [/\b(mtt|moore threads)\b/, 'moore threads'],
];
/** `1g.10gb` of a MIG slice (MIG user guide), and `A40-48Q` or `H100-4-40C` of a virtual GPU (NVIDIA vGPU user guide). */
const PART = /\bmig\b|\b\d+g\.\d+gb\b|-\d+[abcq]\b/;
const ALTERNATIVES = /\/\s*(?:radeon |rx |pro )*[a-z]{0,2}\d{2,4}/;
/** Words that mean the same, and the word that the table uses. */
const SYNONYMS = new Map([['mobile', 'laptop']]);
/** A size of memory, as a word of a name. */
export const SIZE = /^\d+gb$/;
const GIB = 2 ** 30;

/**
 * Reads the name that a driver reports.
 *
 * @param memoryBytes - the memory of the GPU, or of the machine if they share it. It becomes a word such as `12gb` if the name has none.
 */
export function parseGpuName(deviceName: string, memoryBytes: number | null): GpuName {
  const text = deviceName
    .toLowerCase()
    .replace(/\((r|tm)\)/g, ' ')
    // Names of OpenGL end in the bus and in the instructions of the CPU.
    .replace(/\/pcie\b.*/, '')
    // A list of PCI devices names both forms of a laptop's chip: `RTX 3060 Mobile / Max-Q`, `RTX 4060 Max-Q / Mobile`.
    .replace(/mobile \/ max-q|max-q \/ mobile/, 'mobile');
  const name = text
    // `RTX4070Ti`, `RTX 4090D` and `A100-SXM4-80GB` are written in one word.
    .replace(/\b(rtx|gtx|rx)(?=\d)/g, '$1 ')
    .replace(/\b(\d{4})(ti|xtx|xt|super|d)\b/g, '$1 $2');
  const words = name
    .split(/[^a-z\d-]+/)
    .flatMap((word) => (word === 'max-q' ? ['laptop', word] : word.split('-')))
    .map((word) => SYNONYMS.get(word) ?? word)
    .filter((word) => word !== '');
  const size = memoryBytes === null ? null : `${Math.round(memoryBytes / GIB)}gb`;
  return {
    // The size in a name counts, not the measured one.
    words: size === null || words.some((word) => SIZE.test(word)) ? words : [...words, size],
    maker: MAKERS.find(([pattern]) => pattern.test(text))?.[1] ?? null,
    hasAlternatives: ALTERNATIVES.test(text),
    isPart: PART.test(text),
  };
}
