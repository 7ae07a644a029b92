import type { Confidence, FootprintInterval, FootprintSource } from '@mai/memory-ledger';
import { indexModel } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import {
  resolveSettings,
  type EstimateSettings,
  type ResolvedSettings,
} from '../settings/estimate-settings.js';
import { checkEstimateSettings } from './check-estimate-settings.js';
import { CPU_ENVIRONMENT } from './environment.js';
import { defaultContext, estimatePlan } from './estimate-footprint.js';
import type { MemoryParts, PartName } from './footprint-estimate.js';

/** The memory of a load on one device, in bytes. */
export interface ReportedDevice {
  readonly weightsBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  /** Present only on the device that a vision projector is loaded to. */
  readonly visionProjectorBytes?: number;
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
}

/**
 * Estimates a header under the settings of `mai estimate`, on a machine with at most one GPU.
 *
 * @param visionProjector The header of the projector (mmproj) that is loaded with the model.
 * @throws RangeError where `checkEstimateSettings` finds a problem.
 */
export function estimateReport(
  header: GgufHeader,
  settings: EstimateSettings,
  visionProjector: GgufHeader | null = null,
): EstimateReport {
  const [problem] = checkEstimateSettings(settings, header);
  if (problem !== undefined) throw new RangeError(problem.message);
  const index = indexModel(header);
  const contextLengthTokens = settings.contextLengthTokens ?? defaultContext(index);
  const resolved = resolveSettings({ ...settings, contextLengthTokens });
  const { gpuBackend } = resolved;
  const gpus = gpuBackend === 'none' ? [] : [{ deviceKey: 'gpu:0', availableBytes: null }];
  const estimate = estimatePlan(index, {
    settings: resolved,
    cpuExpertLayers: 0,
    environment: { ...CPU_ENVIRONMENT, gpuBackend, gpus, visionProjector },
  });
  const { parts, ram } = estimate;
  const ramBytes = ram.mappedBytes + ram.anonymousBytes;
  return {
    architecture: header.architecture,
    loadConfig: estimate.settings,
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
  };
}

function reportedDevice(parts: MemoryParts, totalBytes: number): ReportedDevice {
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes } = parts;
  const { visionProjectorBytes } = parts;
  return {
    ...{ weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes },
    ...(visionProjectorBytes > 0 ? { visionProjectorBytes } : {}),
    totalBytes,
  };
}
