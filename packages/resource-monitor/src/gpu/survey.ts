import type { MergedGpu } from './merge-gpus.js';
import type { HardwareSurveyFacts, SurveyedGpuFacts } from './match-survey.js';
import { matchSurvey, sizeOf } from './match-survey.js';
import { usesSystemMemory } from './nvidia-products.js';

const SOURCE = 'LM Studio hardware survey';

/**
 * Adds GPUs and totals that the OS hides. A survey contains only capacities, so an added GPU has an
 * `availableBytes` of null. A survey replaces an estimated total, but never a measured one. A GPU of the survey is not closed,
 * because the engine of LM Studio has opened it.
 */
export function mergeSurvey(
  merged: readonly MergedGpu[],
  survey: HardwareSurveyFacts | null,
): readonly MergedGpu[] {
  if (survey === null) return merged;
  const matches = matchSurvey(
    merged.map(({ gpu }) => gpu),
    survey,
  );
  const known = new Set(matches.values());
  const added = survey.gpus.flatMap((surveyed, index) =>
    known.has(surveyed) ? [] : fromSurvey(surveyed, index),
  );
  const filled = merged.map((entry) => {
    const surveyed = matches.get(entry.gpu);
    return surveyed === undefined ? entry : fill(entry, surveyed);
  });
  return [...filled, ...added];
}

function fill(entry: MergedGpu, surveyed: SurveyedGpuFacts): MergedGpu {
  const gpu = { ...entry.gpu, closed: null };
  const name = gpu.name ?? nameOf(surveyed);
  if (gpu.totalBytes !== null && !gpu.totalIsEstimate) return { ...entry, gpu: { ...gpu, name } };
  const total = sizeOf(surveyed, gpu.memory);
  if (total === null) return { ...entry, gpu: { ...gpu, name } };
  const usedBytes = gpu.usedBytes;
  const availableBytes = usedBytes === null ? null : Math.max(0, total - usedBytes);
  return {
    gpu: { ...gpu, name, totalBytes: total, totalIsEstimate: false, availableBytes },
    source: entry.source === null ? SOURCE : `${entry.source}, total from ${SOURCE}`,
    passedOver: entry.passedOver,
  };
}

function nameOf({ name }: SurveyedGpuFacts): string | null {
  return name === '' ? null : name;
}

function fromSurvey(surveyed: SurveyedGpuFacts, index: number): MergedGpu {
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
      closed: null,
      pciId: null,
      name: nameOf(surveyed),
      vendor: surveyed.vendor,
      kind: unified ? 'unified' : integrated ? 'integrated' : surveyed.integration,
      memory,
      totalBytes: sizeOf(surveyed, memory),
      usedBytes: null,
      availableBytes: null,
      utilizationRatio: null,
      processes: null,
      readAtMonotonicMs: null,
      reasons: [],
    },
  };
}
