import type { GpuReading } from '../reading/figures.js';
import type { MergedGpu } from './merge-gpus.js';
import { comparableName, RULE_OF_THUMB } from './merge-gpus.js';

/** What LM Studio's own hardware survey says: totals, and GPUs that the OS may hide. */
export interface HardwareSurveyFacts {
  readonly gpus: readonly {
    readonly name: string | null;
    readonly integration: 'integrated' | 'discrete' | null;
    readonly dedicatedBytes: number | null;
    readonly totalBytes: number | null;
  }[];
}

const SOURCE = 'LM Studio hardware survey';

/**
 * Fills what the OS hides. A survey knows capacities only, so `availableBytes` of what comes from it is
 * null; a measured total is never replaced; a rule of thumb is.
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
      theOnlyOne(merged, survey, surveyed);
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

/** One GPU here and one there are the same, whatever they are called, unless they can't be. */
function theOnlyOne(
  merged: readonly MergedGpu[],
  survey: HardwareSurveyFacts,
  surveyed: SurveyedGpu,
): MergedGpu | null {
  const [only] = merged;
  if (only === undefined || merged.length > 1 || survey.gpus.length > 1) return null;
  return contradicts(only.gpu, surveyed) ? null : only;
}

/** The integrated GPU that the system shows is not the card that it hides. */
function contradicts({ vendor, kind }: GpuReading, { name, integration }: SurveyedGpu): boolean {
  const brand = name === null ? null : brandOf(name);
  if (vendor !== null && brand !== null && vendor !== brand) return true;
  return (
    (kind === 'integrated' && integration === 'discrete') ||
    (kind === 'discrete' && integration === 'integrated')
  );
}

function brandOf(name: string): GpuReading['vendor'] {
  return BRANDS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

const BRANDS: readonly (readonly [RegExp, NonNullable<GpuReading['vendor']>])[] = [
  [/nvidia|geforce|quadro|tesla|\brtx\b|\bgtx\b/i, 'nvidia'],
  [/\bamd\b|radeon/i, 'amd'],
  [/\bintel\b|\biris\b|\barc\b/i, 'intel'],
  [/\bapple\b/i, 'apple'],
];

function fill(entry: MergedGpu, surveyed: SurveyedGpu): MergedGpu {
  const { gpu } = entry;
  const name = gpu.name ?? surveyed.name;
  if (gpu.totalBytes !== null && !gpu.totalIsEstimate) return { ...entry, gpu: { ...gpu, name } };
  const total = totalOf(surveyed, gpu.memory);
  if (total === null) return { ...entry, gpu: { ...gpu, name } };
  const usedBytes = gpu.usedBytes;
  const availableBytes = usedBytes === null ? null : Math.max(0, total - usedBytes);
  return {
    gpu: { ...gpu, name, totalBytes: total, totalIsEstimate: false, availableBytes },
    source:
      entry.source === null
        ? SOURCE
        : `${entry.source.replace(RULE_OF_THUMB, '')}, total by ${SOURCE}`,
    passedOver: entry.passedOver,
  };
}

function totalOf(surveyed: SurveyedGpu, memory: GpuReading['memory']): number | null {
  // A survey writes 0 for what it does not know.
  const dedicatedBytes = surveyed.dedicatedBytes === 0 ? null : surveyed.dedicatedBytes;
  const totalBytes = surveyed.totalBytes === 0 ? null : surveyed.totalBytes;
  return memory === 'shared' ? (totalBytes ?? dedicatedBytes) : (dedicatedBytes ?? totalBytes);
}

function fromSurvey(surveyed: SurveyedGpu, index: number): MergedGpu {
  const vendor = surveyed.name === null ? null : brandOf(surveyed.name);
  // Apple's chips have one pool for everything, whatever a survey says of them.
  const unified = vendor === 'apple';
  const memory = unified || surveyed.integration === 'integrated' ? 'shared' : 'dedicated';
  return {
    source: SOURCE,
    passedOver: [],
    gpu: {
      deviceKey: `survey:${index}`,
      pciAddress: null,
      totalIsEstimate: false,
      pciId: null,
      name: surveyed.name,
      vendor,
      kind: unified ? 'unified' : surveyed.integration,
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
