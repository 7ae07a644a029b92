import type { Footprint } from '@mai/memory-ledger';
import type { Estimate, EstimateQuestion, EstimatorPort } from '@mai/autopilot';
import type { DownloadedModel, ResourceEstimate } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { FootprintEstimate } from '@mai/memory-estimator';
import {
  combineWithLMStudio,
  environmentOf,
  estimateFootprint,
  estimateFromFileSize,
  isModelFileError,
} from '@mai/memory-estimator';
import type { Calibration } from './calibration.js';
import type { HeaderShelf } from './header-shelf.js';
import type { Library } from './library.js';

/** Where footprints come from beside LM Studio. */
export interface FootprintSources {
  readonly shelf: HeaderShelf;
  /** Null: nothing measured counts. */
  readonly calibration: Calibration | null;
}

/**
 * What models take, in order of trust: from the header of their file where that is here, LM Studio's own
 * estimate, the size of the file. The guardrail verdict is LM Studio's wherever it runs.
 */
export function createFootprints(
  library: Library,
  { shelf, calibration }: FootprintSources,
  anythingLoaded: () => boolean,
): EstimatorPort {
  const models = new Map(library.models.map((model) => [model.modelKey, model]));
  return {
    estimate: async (question, options) => {
      const model = models.get(question.modelKey) ?? null;
      const [own, theirs] = await Promise.all([
        fromHeader(question, library, shelf),
        askLMStudio(question, model, library, options),
      ]);
      const alone = own ?? fromSize(question, model, theirs);
      const footprint =
        alone === null || theirs === null ? alone : combineWithLMStudio(alone, theirs).footprint;
      return {
        footprint:
          footprint === null || calibration === null
            ? footprint
            : await calibration.correct(footprint, question.modelKey, question.loadConfig),
        guardrails: verdictOf(theirs, anythingLoaded()),
        refused: own !== null && own.refusal !== null,
      };
    },
  };
}

type CallOptions = Parameters<EstimatorPort['estimate']>[1];

async function fromHeader(
  { modelKey, loadConfig, resources, deviceIdentifier }: EstimateQuestion,
  library: Library,
  shelf: HeaderShelf,
): Promise<FootprintEstimate | null> {
  const files = deviceIdentifier === null ? library.filesOf(modelKey) : null;
  const [first] = files?.files ?? [];
  if (files === null || first === undefined) return null;
  try {
    const projector = await files.findProjector();
    const visionProjector = projector === null ? null : await shelf.read(projector);
    const environment = environmentOf(resources);
    // Of a projector no more than its size counts.
    const key = [loadConfig, environment, visionProjector?.tensorBytes ?? null];
    return await shelf.derive(first, JSON.stringify(key), (header) =>
      estimateFootprint(header, loadConfig, { ...environment, visionProjector }),
    );
  } catch (error) {
    // LM Studio's folder is not always where its notes say; the next source knows something, too.
    if (isModelFileError(error)) return null;
    throw error;
  }
}

async function askLMStudio(
  { modelKey, loadConfig, deviceIdentifier }: EstimateQuestion,
  model: DownloadedModel | null,
  { link }: Library,
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
    // Deleted since it was listed: no reason to know nothing about the others.
    if (isLMStudioError(error) && error.code === 'MODEL_NOT_FOUND') return null;
    throw error;
  }
}

/** The last resort; LM Studio knows the size of weights also where it lists none. */
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
 * LM Studio judges a load on top of what is loaded, so beside residents its refusal says nothing about
 * a switch that unloads first. The load itself asks again.
 */
function verdictOf(
  estimate: ResourceEstimate | null,
  anythingLoaded: boolean,
): Estimate['guardrails'] {
  if (estimate === null) return null;
  if (estimate.passesGuardrails) return 'pass';
  return anythingLoaded ? null : 'refuse';
}
