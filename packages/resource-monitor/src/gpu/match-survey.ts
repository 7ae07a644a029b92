import type { GpuResources, GpuVendor } from '@mai/memory-ledger';
import type { GpuSnapshot } from '../snapshot.js';
import { isPossibleTotal } from '../reading/possible-bytes.js';
import { comparableName } from './merge-gpus.js';

/**
 * The part of LM Studio's hardware survey that a monitor uses: all GPUs, including those that the OS hides, and
 * their totals.
 */
export interface HardwareSurveyFacts {
  readonly gpus: readonly SurveyedGpuFacts[];
}

/** One GPU of a survey. */
export interface SurveyedGpuFacts {
  /** Null where the survey gives no name. */
  readonly name: string | null;
  readonly integration: 'integrated' | 'discrete' | null;
  /** Null if the survey does not report the vendor, for example for a GPU that is used through Vulkan. */
  readonly vendor: GpuVendor | null;
  readonly dedicatedBytes: number | null;
  readonly totalBytes: number | null;
}

/** The facts of a GPU by which it is found in a survey. */
export type ListedGpu = Pick<GpuResources, 'name' | 'vendor' | 'memory' | 'totalBytes'> & {
  /** Null, and the default: not known. */
  readonly kind?: GpuSnapshot['kind'];
};

/** Two tools report the size of one GPU with at most this difference: a driver may keep a part of the memory. */
const SIZE_TOLERANCE = 0.06;

/**
 * Finds the GPUs of a survey in another list of this machine's GPUs. The names of two tools can differ: `Radeon RX 7900 XTX (RADV
 * NAVI31)` is `Navi 31 [Radeon RX 7900 XT/7900 XTX/7900M]` in the list of PCI devices. So GPUs with equal names are matched
 * first, two cards of one name by their sizes, because the lists can have them in another order. Then follow those where one name
 * has all words of the other, then those of one size. Where as many GPUs are left in one list as in the other, they are matched in
 * order, unless vendor or kind show that two GPUs differ.
 */
export function matchSurvey<Gpu extends ListedGpu>(
  gpus: readonly Gpu[],
  { gpus: surveyed }: HardwareSurveyFacts,
): ReadonlyMap<Gpu, SurveyedGpuFacts> {
  const pairs = new Map<Gpu, SurveyedGpuFacts>();
  const isFree = (one: SurveyedGpuFacts): boolean => ![...pairs.values()].includes(one);
  for (const isSame of [hasNameAndSize, hasName, hasWordsOfName, hasSize]) {
    for (const gpu of gpus) {
      const found = pairs.has(gpu)
        ? undefined
        : surveyed.find((one) => isFree(one) && isSame(gpu, one));
      if (found !== undefined) pairs.set(gpu, found);
    }
  }
  for (const gpu of gpus.filter((one) => !pairs.has(one))) {
    const possible = surveyed.filter((one) => isFree(one) && !contradicts(gpu, one));
    const rivals = gpus.filter(
      (one) => !pairs.has(one) && possible.some((other) => !contradicts(one, other)),
    );
    const [first] = possible;
    if (first !== undefined && possible.length === rivals.length) pairs.set(gpu, first);
  }
  return pairs;
}

/**
 * The GPUs that the engine of LM Studio sees, by its survey. Where the survey lists fewer GPUs with memory of their own, and neither
 * names nor sizes tell which, those with the least free memory count as seen. So a plan never counts on the larger one of two
 * memories of which the engine reaches one.
 */
export function gpusInSurvey<Gpu extends ListedGpu & Pick<GpuResources, 'availableBytes'>>(
  gpus: readonly Gpu[],
  survey: HardwareSurveyFacts,
): readonly Gpu[] {
  const careful = [...gpus].sort((a, b) => (a.availableBytes ?? 0) - (b.availableBytes ?? 0));
  const pairs = new Map(matchSurvey(careful, survey));
  const isLeft = (one: SurveyedGpuFacts): boolean =>
    ![...pairs.values()].includes(one) && one.integration !== 'integrated';
  for (const gpu of careful.filter((one) => one.memory === 'dedicated' && !pairs.has(one))) {
    const found = survey.gpus.find((one) => isLeft(one) && !contradicts(gpu, one));
    if (found !== undefined) pairs.set(gpu, found);
  }
  return gpus.filter((gpu) => pairs.has(gpu));
}

function hasNameAndSize(gpu: ListedGpu, surveyed: SurveyedGpuFacts): boolean {
  return hasName(gpu, surveyed) && hasSize(gpu, surveyed);
}

function hasName({ name }: ListedGpu, surveyed: SurveyedGpuFacts): boolean {
  return (
    name !== null &&
    surveyed.name !== null &&
    comparableName(name) === comparableName(surveyed.name)
  );
}

/** Whether one name has all words of the other, and these include a number, as that of a model. */
function hasWordsOfName(gpu: ListedGpu, surveyed: SurveyedGpuFacts): boolean {
  if (gpu.name === null || surveyed.name === null || contradicts(gpu, surveyed)) return false;
  // Mesa adds the name of the chip in parentheses.
  const own = wordsOf(gpu.name);
  const other = wordsOf(surveyed.name.replace(/\([^()]*\)\s*$/, ''));
  const [few, many] = own.length < other.length ? [own, other] : [other, own];
  return few.some((word) => /\d/.test(word)) && few.every((word) => many.includes(word));
}

function wordsOf(name: string): readonly string[] {
  return comparableName(name).split(' ');
}

function hasSize(gpu: ListedGpu, surveyed: SurveyedGpuFacts): boolean {
  const totalBytes = sizeOf(surveyed, gpu.memory);
  return (
    gpu.totalBytes !== null &&
    totalBytes !== null &&
    Math.abs(gpu.totalBytes - totalBytes) <= SIZE_TOLERANCE * gpu.totalBytes &&
    !contradicts(gpu, surveyed)
  );
}

/** The size of a GPU in a survey; null where it is not known. A survey reports an unknown size as 0. */
export function sizeOf(surveyed: SurveyedGpuFacts, memory: ListedGpu['memory']): number | null {
  const possible = (bytes: number | null): number | null =>
    bytes !== null && isPossibleTotal(bytes) ? bytes : null;
  const dedicatedBytes = possible(surveyed.dedicatedBytes);
  const totalBytes = possible(surveyed.totalBytes);
  return memory === 'shared' ? (totalBytes ?? dedicatedBytes) : (dedicatedBytes ?? totalBytes);
}

/**
 * Whether vendor or kind show that two GPUs differ. For example, the OS shows the integrated GPU and hides the
 * card that the survey lists.
 */
function contradicts(gpu: ListedGpu, surveyed: SurveyedGpuFacts): boolean {
  const vendor = vendorOf(gpu);
  const surveyedVendor = vendorOf(surveyed);
  if (vendor !== null && surveyedVendor !== null && vendor !== surveyedVendor) return true;
  return (
    (gpu.kind === 'integrated' && surveyed.integration === 'discrete') ||
    (gpu.kind === 'discrete' && surveyed.integration === 'integrated')
  );
}

const VENDOR_IN_NAME: readonly (readonly [RegExp, GpuVendor])[] = [
  [/\b(nvidia|geforce|quadro|tesla|rtx|gtx)\b/i, 'nvidia'],
  [/\b(amd|ati|radeon|instinct)\b/i, 'amd'],
  [/\b(intel|arc|iris|uhd)\b/i, 'intel'],
  [/\bapple\b/i, 'apple'],
];

function vendorOf({ vendor, name }: Pick<ListedGpu, 'vendor' | 'name'>): GpuVendor | null {
  return vendor ?? VENDOR_IN_NAME.find(([pattern]) => pattern.test(name ?? ''))?.[1] ?? null;
}
