import path from 'node:path';
import type { Footprint } from '@mai/memory-ledger';
import type { Estimate, EstimateQuestion, EstimatorPort } from '@mai/autopilot';
import type { DownloadedModel, ResourceEstimate } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { FootprintEstimate, HeaderCache, MlxEstimate, MlxModel } from '@mai/memory-estimator';
import {
  combineWithLMStudio,
  environmentOf,
  estimateFootprint,
  estimateFromFileSize,
  estimateMlx,
  isModelFileError,
  mlxEnvironmentOf,
  readMlxModel,
} from '@mai/memory-estimator';
import type { Downloads } from '../models/downloads.js';
import { factsOf } from '../models/judge-file.js';
import type { Calibration } from './calibration.js';

/** The sources of footprints. */
export interface FootprintSources {
  /** The downloaded models, and the connection to LM Studio. */
  readonly downloads: Downloads;
  readonly headers: HeaderCache;
  /** Null: estimates are not corrected by measurements. */
  readonly calibration: Calibration | null;
}

/** A footprint and its sources. */
export interface SourcedFootprint {
  /** The footprint from the most trusted source; null where no source knows the model. */
  readonly footprint: Footprint | null;
  /** Whether measured loads on this machine changed the footprint. */
  readonly corrected: boolean;
  /** From the header of the model's file; null where the file can't be read here. */
  readonly fromHeader: FootprintEstimate | null;
  /** LM Studio's own estimate; null where LM Studio is off or gives none. */
  readonly lmStudio: ResourceEstimate | null;
  /** LM Studio's estimate divided by the header's. Null where they differ by a quarter or less. */
  readonly disagreementRatio: number | null;
}

/**
 * Finds the memory of a model with a load configuration. The sources in order of trust:
 *
 * 1. measured loads of the model on this machine;
 * 2. the header of its GGUF file, or the headers and the config.json of an MLX model;
 * 3. LM Studio's own estimate;
 * 4. the size of its file.
 *
 * Measured loads correct the footprint of the most trusted other source. Where LM Studio's estimate differs
 * from the header's, the interval is widened to contain both. Where no source knows the model, the
 * autopilot takes `min_memory_gb` and `min_vram_gb` from the configuration.
 */
async function findFootprint(
  question: EstimateQuestion,
  sources: FootprintSources,
  mlxModels: MlxModels,
  options: CallOptions,
): Promise<SourcedFootprint> {
  const { downloads, headers, calibration } = sources;
  const { modelKey, loadConfig } = question;
  const model = downloads.models.find((one) => one.modelKey === modelKey) ?? null;
  const [fromHeader, lmStudio] = await Promise.all([
    readHeader(question, downloads, headers),
    askLMStudio(question, model, downloads, options),
  ]);
  const alone =
    fromHeader ??
    (await fromMlx(question, model, downloads, mlxModels)) ??
    fromSize(question, model, lmStudio);
  if (alone === null) {
    return { footprint: null, corrected: false, fromHeader, lmStudio, disagreementRatio: null };
  }
  const { footprint: combined, disagreementRatio } =
    lmStudio === null
      ? { footprint: alone, disagreementRatio: null }
      : combineWithLMStudio(alone, lmStudio);
  const footprint = (await calibration?.correct(combined, modelKey, loadConfig)) ?? combined;
  const corrected = footprint !== combined;
  return { footprint, corrected, fromHeader, lmStudio, disagreementRatio };
}

/** Called with each question and its answer. */
export type OnFootprint = (question: EstimateQuestion, found: SourcedFootprint) => void;

/**
 * Answers the autopilot's questions about footprints. The verdict of the guardrails is LM Studio's.
 *
 * @param onFootprint - for a caller that also needs the sources, which the autopilot's port does
 *   not return
 */
export function createFootprints(
  sources: FootprintSources,
  anythingLoaded: () => boolean,
  onFootprint: OnFootprint = () => undefined,
): EstimatorPort {
  const mlxModels: MlxModels = new Map();
  return {
    estimate: async (question, options) => {
      const found = await findFootprint(question, sources, mlxModels, options);
      onFootprint(question, found);
      const { footprint, fromHeader, lmStudio } = found;
      return {
        footprint,
        guardrails: verdictOf(lmStudio, anythingLoaded()),
        refused: fromHeader !== null && fromHeader.refusal !== null,
        ...(await expertsOf(question, sources)),
      };
    },
  };
}

/** Whether the model has experts; empty where its header can't be read here. */
async function expertsOf(
  { modelKey }: EstimateQuestion,
  { downloads, headers }: FootprintSources,
): Promise<{ readonly hasExperts?: boolean }> {
  const [first] = downloads.filesOf(modelKey)?.files ?? [];
  if (first === undefined) return {};
  try {
    const { hasExperts } = await factsOf(first, headers);
    return { hasExperts };
  } catch (error) {
    // As in `readHeader`: the file is not in the folder that LM Studio's settings name.
    if (isModelFileError(error)) return {};
    throw error;
  }
}

type CallOptions = Parameters<EstimatorPort['estimate']>[1];

const GGUF = /\.gguf$/i;

/** MLX models by their folders, because a decision asks with every load option. Null: it can't be read. */
type MlxModels = Map<string, Promise<MlxModel | null>>;

async function fromMlx(
  { modelKey, loadConfig, resources, deviceIdentifier }: EstimateQuestion,
  model: DownloadedModel | null,
  downloads: Downloads,
  models: MlxModels,
): Promise<MlxEstimate | null> {
  if (model?.format !== 'mlx' || deviceIdentifier !== null) return null;
  const [file] = downloads.filesOf(modelKey)?.files ?? [];
  if (file === undefined) return null;
  const folder = path.dirname(file);
  const reading = models.get(folder) ?? readMlxModel(folder).catch(withoutModelFile);
  models.set(folder, reading);
  const mlx = await reading;
  return mlx && estimateMlx(mlx, loadConfig, mlxEnvironmentOf(resources));
}

/** Null for a fault of the model's files: the next source is used then. */
function withoutModelFile(error: unknown): null {
  if (isModelFileError(error)) return null;
  throw error;
}

async function readHeader(
  { modelKey, loadConfig, resources, deviceIdentifier }: EstimateQuestion,
  downloads: Downloads,
  headers: HeaderCache,
): Promise<FootprintEstimate | null> {
  const files = deviceIdentifier === null ? downloads.filesOf(modelKey) : null;
  const [first] = files?.files ?? [];
  if (files === null || first === undefined || !GGUF.test(first)) return null;
  try {
    const projector = await files.findProjector();
    const visionProjector = projector === null ? null : await headers.read(projector);
    const environment = environmentOf(resources);
    // The estimate uses only the size of a projector, not its other facts.
    const key = [loadConfig, environment, visionProjector?.tensorBytes ?? null];
    return await headers.derive(first, JSON.stringify(key), (header) =>
      estimateFootprint(header, loadConfig, { ...environment, visionProjector }),
    );
  } catch (error) {
    // The file is not in the folder that LM Studio's settings name. Use the next source.
    if (isModelFileError(error)) return null;
    throw error;
  }
}

async function askLMStudio(
  { modelKey, loadConfig, deviceIdentifier }: EstimateQuestion,
  model: DownloadedModel | null,
  { link }: Downloads,
  options: CallOptions,
): Promise<ResourceEstimate | null> {
  if (link.kind === 'off') return null;
  try {
    return await link.client.estimate(modelKey, loadConfig, {
      ...options,
      kind: model?.kind,
      deviceIdentifier,
    });
  } catch (error) {
    // The model was deleted after it was listed. The other models can still be estimated.
    if (isLMStudioError(error) && error.code === 'MODEL_NOT_FOUND') return null;
    throw error;
  }
}

/**
 * The footprint by the size of the file. Where LM Studio's list lacks that size, its estimate supplies
 * the size of the weights.
 */
function fromSize(
  { loadConfig, resources }: EstimateQuestion,
  model: DownloadedModel | null,
  theirs: ResourceEstimate | null,
): Footprint | null {
  const told = [model?.sizeBytes, theirs?.weightsBytes, theirs?.totalBytes];
  const sizeBytes = told.find((bytes) => bytes !== undefined && bytes > 0);
  const format = model?.format ?? 'gguf';
  return sizeBytes === undefined
    ? null
    : estimateFromFileSize({ sizeBytes, format }, loadConfig, environmentOf(resources));
}

/**
 * The verdict of LM Studio's guardrails. LM Studio assumes that all residents stay. So where models are
 * loaded, a refusal says nothing about a switch that unloads some of them first, and null is returned.
 * At the load, LM Studio judges again.
 */
function verdictOf(
  estimate: ResourceEstimate | null,
  anythingLoaded: boolean,
): Estimate['guardrails'] {
  if (estimate === null) return null;
  if (estimate.passesGuardrails) return 'pass';
  return anythingLoaded ? null : 'refuse';
}
