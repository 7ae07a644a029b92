import type { GpuVendor } from '@mai/memory-ledger';
import type { GpuReading } from '../reading/figures.js';
import type { MergedGpu } from './merge-gpus.js';
import { comparableName } from './merge-gpus.js';
import { usesSystemMemory } from './nvidia-products.js';

/**
 * The part of LM Studio's hardware survey that a monitor uses: all GPUs, including those that the OS hides, and
 * their totals.
 */
export interface HardwareSurveyFacts {
  readonly gpus: readonly {
    /** Null where the survey gives no name. */
    readonly name: string | null;
    readonly integration: 'integrated' | 'discrete' | null;
    /** Null if the survey does not report the vendor, for example for a GPU that is used through Vulkan. */
    readonly vendor: GpuVendor | null;
    readonly dedicatedBytes: number | null;
    readonly totalBytes: number | null;
  }[];
}

const SOURCE = 'LM Studio hardware survey';

/**
 * Adds GPUs and totals that the OS hides. A survey contains only capacities, so an added GPU has an
 * `availableBytes` of null. A survey replaces an estimated total, but never a measured one.
 */
export function mergeSurvey(
  merged: readonly MergedGpu[],
  survey: HardwareSurveyFacts | null,
): readonly MergedGpu[] {
  if (survey === null) return merged;
  const taken = new Set<MergedGpu>();
  const filled = new Map<MergedGpu, MergedGpu>();
  const added: MergedGpu[] = [];
  survey.gpus.forEach((surveyed, index) => {
    const match =
      merged.find((entry) => !taken.has(entry) && hasName(entry.gpu, surveyed.name)) ??
      matchByCount(merged, survey, surveyed);
    if (match === null || taken.has(match)) {
      added.push(fromSurvey(surveyed, index));
      return;
    }
    taken.add(match);
    filled.set(match, fill(match, surveyed));
  });
  return [...merged.map((entry) => filled.get(entry) ?? entry), ...added];
}

type SurveyedGpu = HardwareSurveyFacts['gpus'][number];

function hasName({ name }: GpuReading, surveyed: string | null): boolean {
  return name !== null && surveyed !== null && comparableName(name) === comparableName(surveyed);
}

/**
 * If each list has exactly one GPU, both are the same GPU, whatever their names, unless vendor or kind
 * contradict that.
 */
function matchByCount(
  merged: readonly MergedGpu[],
  survey: HardwareSurveyFacts,
  surveyed: SurveyedGpu,
): MergedGpu | null {
  const [only] = merged;
  if (only === undefined || merged.length > 1 || survey.gpus.length > 1) return null;
  return contradicts(only.gpu, surveyed) ? null : only;
}

/**
 * Whether vendor or kind show that two GPUs differ. For example, the OS shows the integrated GPU and hides the
 * card that the survey lists.
 */
function contradicts({ vendor, kind }: GpuReading, surveyed: SurveyedGpu): boolean {
  if (vendor !== null && surveyed.vendor !== null && vendor !== surveyed.vendor) return true;
  return (
    (kind === 'integrated' && surveyed.integration === 'discrete') ||
    (kind === 'discrete' && surveyed.integration === 'integrated')
  );
}

function fill(entry: MergedGpu, surveyed: SurveyedGpu): MergedGpu {
  const { gpu } = entry;
  const name = gpu.name ?? nameOf(surveyed);
  if (gpu.totalBytes !== null && !gpu.totalIsEstimate) return { ...entry, gpu: { ...gpu, name } };
  const total = totalOf(surveyed, gpu.memory);
  if (total === null) return { ...entry, gpu: { ...gpu, name } };
  const usedBytes = gpu.usedBytes;
  const availableBytes = usedBytes === null ? null : Math.max(0, total - usedBytes);
  return {
    gpu: { ...gpu, name, totalBytes: total, totalIsEstimate: false, availableBytes },
    source: entry.source === null ? SOURCE : `${entry.source}, total from ${SOURCE}`,
    passedOver: entry.passedOver,
  };
}

function nameOf({ name }: SurveyedGpu): string | null {
  return name === '' ? null : name;
}

function totalOf(surveyed: SurveyedGpu, memory: GpuReading['memory']): number | null {
  // A survey reports an unknown size as 0.
  const dedicatedBytes = surveyed.dedicatedBytes === 0 ? null : surveyed.dedicatedBytes;
  const totalBytes = surveyed.totalBytes === 0 ? null : surveyed.totalBytes;
  return memory === 'shared' ? (totalBytes ?? dedicatedBytes) : (dedicatedBytes ?? totalBytes);
}

function fromSurvey(surveyed: SurveyedGpu, index: number): MergedGpu {
  // An Apple chip has one pool for CPU and GPU, even if the survey calls the GPU discrete.
  const unified = surveyed.vendor === 'apple';
  const integrated = surveyed.integration === 'integrated' || usesSystemMemory(surveyed.name);
  const memory = unified || integrated ? 'shared' : 'dedicated';
  return {
    source: SOURCE,
    passedOver: [],
    gpu: {
      deviceKey: `survey:${index}`,
      pciAddress: null,
      totalIsEstimate: false,
      pciId: null,
      name: nameOf(surveyed),
      vendor: surveyed.vendor,
      kind: unified ? 'unified' : integrated ? 'integrated' : surveyed.integration,
      memory,
      totalBytes: totalOf(surveyed, memory),
      usedBytes: null,
      availableBytes: null,
      utilizationRatio: null,
      processes: null,
      readAtMonotonicMs: null,
      reasons: [],
    },
  };
}
