import { stat } from 'node:fs/promises';
import { isSameLoadConfig, type Footprint } from '@mai/memory-ledger';
import type { Estimate, EstimateQuestion, EstimatorPort } from '@mai/autopilot';
import type {
  DownloadedModel,
  EngineReport,
  ResidentInstance,
  ResourceEstimate,
} from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { FootprintEstimate, HeaderCache } from '@mai/memory-estimator';
import {
  combineWithLMStudio,
  estimateFootprint,
  estimateFromFileSize,
  isModelFileError,
  withKnownSettings,
} from '@mai/memory-estimator';
import { findReport } from '../engine/find-report.js';
import {
  digestOf,
  engineOfInstance,
  environmentFor,
  type LoadEngine,
} from '../engine/load-engine.js';
import type { Downloads } from '../models/downloads.js';
import type { ModelFiles } from '../models/model-files.js';
import { factsOf } from '../models/judge-file.js';
import type { Calibration } from './calibration.js';
import { fromMlx, type MlxModels } from './mlx-footprint.js';
import { fromPrintedBuffers } from './printed-buffers.js';
import { withinGpus } from './within-gpus.js';

/** The sources of footprints. */
export interface FootprintSources {
  /** The downloaded models, and the connection to LM Studio. */
  readonly downloads: Downloads;
  readonly headers: HeaderCache;
  /** Null: estimates are not corrected by measurements. */
  readonly calibration: Calibration | null;
  /**
   * Whether weights that the engine locks in memory are mapped bytes of the footprint. A measurement of the engine's
   * process does not see them. Default false: they are anonymous, because no system can drop their pages.
   */
  readonly lockedAsMapped?: boolean;
  /** What LM Studio's engines have printed. Default: nothing. */
  readonly engineReports?: () => readonly EngineReport[];
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
 * 1. for a resident, the buffers that its engine printed; otherwise measured loads of the model on this machine;
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
  resident: ResidentInstance | null,
  mlxModels: MlxModels,
  options: CallOptions,
): Promise<SourcedFootprint> {
  const { downloads, calibration, lockedAsMapped = false } = sources;
  const { modelKey, loadConfig, deviceIdentifier, resources } = question;
  const isHere = deviceIdentifier === null;
  // Of several variants, the resident's is the one in memory.
  const found = await downloads.find(resident?.variant ?? modelKey);
  const model = found?.model ?? null;
  const files = isHere ? (found?.files ?? null) : null;
  const own = resident === null ? downloads.engine : engineOfInstance(downloads.engine, resident);
  const isLocked = own.profile.settings.locksWeights.value && !lockedAsMapped;
  // Measured loads replace everything but mapped weights, so weights are locked at the end.
  const engine = withUnlockedWeights(own);
  const [fromHeader, lmStudio] = await Promise.all([
    readHeader(question, { model, files, engine, resident }, sources),
    askLMStudio(question, model, downloads, options),
  ]);
  const alone =
    fromHeader ??
    (await fromMlx(question, model, files, engine, mlxModels)) ??
    fromSize(question, { model, resident, engine }, lmStudio);
  if (alone === null) {
    return { footprint: null, corrected: false, fromHeader, lmStudio, disagreementRatio: null };
  }
  const { footprint: combined, disagreementRatio } =
    lmStudio === null
      ? { footprint: alone, disagreementRatio: null }
      : combineWithLMStudio(alone, lmStudio);
  const report = resident && findReport(resident, sources.engineReports?.() ?? []);
  const gpuKeys = environmentFor(resources, engine).gpus.map(({ deviceKey }) => deviceKey);
  const printed = report && fromPrintedBuffers(report, combined, fromHeader, gpuKeys);
  if (report !== null && printed !== null) {
    await calibration?.learn({ question, report, predicted: combined, printed });
  }
  const calibrated =
    printed ?? (await calibration?.correct(combined, modelKey, loadConfig)) ?? combined;
  const settled = isLocked ? withLockedWeights(calibrated) : calibrated;
  const footprint = resident === null ? settled : withinGpus(settled, resources);
  const corrected = calibrated !== combined;
  return { footprint, corrected, fromHeader, lmStudio, disagreementRatio };
}

function withUnlockedWeights(engine: LoadEngine): LoadEngine {
  const { locksWeights } = engine.profile.settings;
  const profile = withKnownSettings(engine.profile, { locksWeights: false }, locksWeights.source);
  return { ...engine, profile };
}

function withLockedWeights(footprint: Footprint): Footprint {
  const { mappedBytes, anonymousBytes } = footprint.ram;
  return { ...footprint, ram: { mappedBytes: 0, anonymousBytes: mappedBytes + anonymousBytes } };
}

/** The resident that a question is about: a copy of the model with this load configuration. */
function residentOf(
  { modelKey, loadConfig, deviceIdentifier }: EstimateQuestion,
  residents: readonly ResidentInstance[],
): ResidentInstance | null {
  const isAsked = ({ loadConfig: own, contextLengthTokens }: ResidentInstance): boolean =>
    isSameLoadConfig(
      { ...own, contextLengthTokens: contextLengthTokens ?? own.contextLengthTokens },
      loadConfig,
    );
  return (
    residents.find(
      (one) =>
        one.modelKey === modelKey && one.deviceIdentifier === deviceIdentifier && isAsked(one),
    ) ?? null
  );
}

/** Called with each question and its answer. */
export type OnFootprint = (question: EstimateQuestion, found: SourcedFootprint) => void;

/**
 * Answers the autopilot's questions about footprints. The verdict of the guardrails is LM Studio's.
 *
 * @param residents - the last list of residents: a resident is estimated with the settings that it was loaded with
 * @param onFootprint - for a caller that also needs the sources, which the autopilot's port does
 *   not return
 */
export function createFootprints(
  sources: FootprintSources,
  residents: () => readonly ResidentInstance[],
  onFootprint: OnFootprint = () => undefined,
): EstimatorPort {
  const mlxModels: MlxModels = new Map();
  return {
    estimate: async (question, options) => {
      const loaded = residents();
      const resident = residentOf(question, loaded);
      const found = await findFootprint(question, sources, resident, mlxModels, options);
      onFootprint(question, found);
      const { footprint, fromHeader, lmStudio } = found;
      return {
        footprint: footprint === null ? null : withoutProfile(footprint),
        guardrails: verdictOf(lmStudio, loaded.length > 0),
        refused: fromHeader !== null && fromHeader.refusal !== null,
        ...(await expertsOf(question, sources)),
      };
    },
  };
}

/**
 * A decision record stores the footprint of each load option. The engine's profile and the intervals of the parts are
 * larger than the footprint, and a decision does not use them.
 */
function withoutProfile(footprint: Footprint): Footprint {
  const {
    profile: _profile,
    partIntervals: _intervals,
    ...rest
  }: Footprint & Partial<Pick<FootprintEstimate, Details>> = footprint;
  return rest;
}

type Details = 'profile' | 'partIntervals';

/** Whether the model has experts; empty where its header can't be read here. */
async function expertsOf(
  { modelKey }: EstimateQuestion,
  { downloads, headers }: FootprintSources,
): Promise<{ readonly hasExperts?: boolean }> {
  const [first] = (await downloads.find(modelKey))?.files?.files ?? [];
  if (first === undefined || !GGUF.test(first)) return {};
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

/** The facts of an estimate besides the load configuration and the machine. */
interface LoadFacts {
  readonly model: DownloadedModel | null;
  readonly files: ModelFiles | null;
  readonly engine: LoadEngine;
  readonly resident: ResidentInstance | null;
}

async function readHeader(
  { loadConfig, resources }: EstimateQuestion,
  { model, files, engine, resident }: LoadFacts,
  { downloads, headers }: FootprintSources,
): Promise<FootprintEstimate | null> {
  const [first] = files?.files ?? [];
  if (files === null || first === undefined || !GGUF.test(first)) return null;
  try {
    const draftKey = resident?.settings?.draftModelKey ?? null;
    const draftFiles = draftKey === null ? null : (await downloads.find(draftKey))?.files;
    const beside = [await files.findProjector(), draftFiles?.files[0] ?? null];
    const [visionProjector = null, draftModel = null] = await Promise.all(
      beside.map(async (file) => (file === null ? null : headers.read(file))),
    );
    const environment = {
      ...environmentFor(resources, engine),
      isEmbedding: model === null ? null : model.kind === 'embedding',
      mapsWeights: resident?.settings?.tryMmap ?? true,
    };
    const key = digestOf([loadConfig, environment, await Promise.all(beside.map(stampOf))]);
    return await headers.derive(first, key, (header) =>
      estimateFootprint(header, loadConfig, { ...environment, visionProjector, draftModel }),
    );
  } catch (error) {
    // The file is not in the folder that LM Studio's settings name. Use the next source.
    if (isModelFileError(error)) return null;
    throw error;
  }
}

/** Changes with the content of a file. */
async function stampOf(file: string | null): Promise<string | null> {
  if (file === null) return null;
  const found = await stat(file).catch(() => null);
  return found === null ? null : `${file} ${found.size} ${found.mtimeMs}`;
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
 * The footprint by the size of the file. Where LM Studio's list lacks that size, for example because the model was
 * deleted after its load, the resident or LM Studio's estimate supplies the size of the weights.
 */
function fromSize(
  { loadConfig, resources }: EstimateQuestion,
  { model, resident, engine }: Omit<LoadFacts, 'files'>,
  theirs: ResourceEstimate | null,
): Footprint | null {
  const told = [model?.sizeBytes, theirs?.weightsBytes, theirs?.totalBytes, resident?.sizeBytes];
  const sizeBytes = told.find((bytes) => bytes !== undefined && bytes > 0);
  const format = model?.format ?? 'gguf';
  return sizeBytes === undefined
    ? null
    : estimateFromFileSize({ sizeBytes, format }, loadConfig, environmentFor(resources, engine));
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
