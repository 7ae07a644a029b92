import type { Confidence, Footprint, FootprintInterval, FootprintSource } from '@mai/memory-ledger';
import { indexModel } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { MemoryParts, PartName } from '../memory/memory-parts.js';
import type { Growth } from '../memory/growth.js';
import type { EstimateSettings, ResolvedSettings } from '../settings/estimate-settings.js';
import { checkEstimateSettings } from '../load/check-estimate-settings.js';
import { CPU_ENVIRONMENT, gpusOfReport, type EstimateEnvironment } from '../load/environment.js';
import { estimatePlan } from './estimate-footprint.js';
import type { UsedProfile } from '../load/used-profile.js';
import type { FootprintEstimate, PartIntervals } from './footprint-estimate.js';
import { chooseFor } from '../load/plan-load.js';

/** The memory of a load on one device, in bytes. */
export interface ReportedDevice {
  readonly weightsBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  /** Present only on the device that a vision projector is loaded to. */
  readonly visionProjectorBytes?: number;
  /** The compute buffer of the projector's encoder; present only where it is not 0. */
  readonly visionEncoderBytes?: number;
  /** The memory for drafting tokens; present only where it is not 0. */
  readonly draftBytes?: number;
  /** The engine's own memory for the model; present only where it is known. */
  readonly engineBytes?: number;
  readonly totalBytes: number;
}

/** The memory of a load in RAM. `totalBytes` leaves out the repacked copy, as llama.cpp's report does. */
export interface ReportedRam extends ReportedDevice {
  readonly repackBytes: number;
  readonly mappedBytes: number;
  readonly anonymousBytes: number;
}

/** An estimate as `mai estimate --json` prints it, without the file's name and the schema's version. */
export interface EstimateReport {
  readonly architecture: string | null;
  /** Every setting in force, including the defaults. */
  readonly loadConfig: ResolvedSettings;
  readonly ram: ReportedRam;
  readonly gpus: readonly ReportedDevice[];
  /** RAM and all GPUs, including the repacked copy. */
  readonly totalBytes: number;
  readonly interval: FootprintInterval | null;
  readonly source: FootprintSource;
  readonly confidence: Confidence;
  readonly exactParts: readonly PartName[];
  readonly partIntervals: PartIntervals;
  /** Memory that the model may take after its load; not part of the total. `null` where it is not known. */
  readonly growth: Growth | null;
  /** The engine's profile, and the settings that came from it. */
  readonly profile: UsedProfile;
}

/** The engine, the purpose of the load, and the draft model beside it. */
export type EngineOfReport = Partial<
  Pick<EstimateEnvironment, 'profile' | 'isEmbedding' | 'draftModel'>
>;

/**
 * Estimates a header under the settings of `mai estimate`, on a machine with at most one GPU.
 *
 * @param visionProjector The header of the projector (mmproj) that is loaded with the model.
 * @param engine Default: llama.cpp without a draft model. By default, the header says whether the model computes
 * embeddings.
 * @throws RangeError where `checkEstimateSettings` finds a problem.
 */
export function estimateReport(
  header: GgufHeader,
  settings: EstimateSettings,
  visionProjector: GgufHeader | null = null,
  engine: EngineOfReport = {},
): EstimateReport {
  const beside = { ...CPU_ENVIRONMENT, ...engine, visionProjector };
  const [problem] = checkEstimateSettings(settings, header, beside.profile);
  if (problem !== undefined) throw new RangeError(problem.message);
  const index = indexModel(header);
  const chosen = chooseFor(index, settings, beside);
  const { gpuBackend } = chosen.settings;
  const estimate = estimatePlan(index, {
    ...chosen,
    cpuExpertLayers: 0,
    environment: { ...beside, gpuBackend, gpus: gpusOfReport(gpuBackend) },
  });
  return reportOf(estimate, {
    architecture: header.architecture,
    loadConfig: estimate.settings,
    partIntervals: estimate.partIntervals,
    profile: estimate.profile,
  });
}

/** An estimate with parts, in the form of a report. */
export function reportOf(
  estimate: Pick<FootprintEstimate, keyof Footprint | 'totalBytes' | 'parts' | 'exactParts'>,
  facts: Pick<EstimateReport, 'architecture' | 'loadConfig' | 'partIntervals' | 'profile'>,
): EstimateReport {
  const { parts, ram } = estimate;
  const ramBytes = ram.mappedBytes + ram.anonymousBytes;
  return {
    architecture: facts.architecture,
    loadConfig: facts.loadConfig,
    ram: {
      ...reportedDevice(parts.ram, ramBytes - parts.ram.repackBytes),
      repackBytes: parts.ram.repackBytes,
      ...ram,
    },
    gpus: parts.gpus.map((gpu, i) => reportedDevice(gpu, estimate.gpus[i]?.bytes ?? 0)),
    totalBytes: estimate.totalBytes,
    interval: estimate.interval,
    source: estimate.source,
    confidence: estimate.confidence,
    exactParts: estimate.exactParts,
    partIntervals: facts.partIntervals,
    growth: estimate.growth,
    profile: facts.profile,
  };
}

function reportedDevice(parts: MemoryParts, totalBytes: number): ReportedDevice {
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes } = parts;
  const { visionProjectorBytes, visionEncoderBytes, draftBytes, engineBytes } = parts;
  return {
    weightsBytes,
    kvCacheBytes,
    recurrentStateBytes,
    computeBytes,
    outputBytes,
    ...(visionProjectorBytes > 0 ? { visionProjectorBytes } : {}),
    ...(visionEncoderBytes > 0 ? { visionEncoderBytes } : {}),
    ...(draftBytes > 0 ? { draftBytes } : {}),
    ...(engineBytes > 0 ? { engineBytes } : {}),
    totalBytes,
  };
}
