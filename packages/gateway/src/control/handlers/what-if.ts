import { baseKeyOf } from '@mai/memory-ledger';
import type {
  EstimateAnswer,
  EstimateParts,
  EstimateRequest,
} from '../../ports/control-estimates.js';
import { notFound } from '../control-failure.js';
import {
  cheaperView,
  footprintView,
  poolChangesView,
  rejectionView,
} from '../views/memory-views.js';
import type { AnswerOf, HandlerParts } from './handlers.js';

/** The settings that a what-if question may change. */
export interface WantedLoad {
  readonly model: string;
  readonly contextLengthTokens?: number | undefined;
  readonly kvCacheType?: NonNullable<EstimateRequest['settings']>['kvCacheTypeK'] | undefined;
  readonly parallelSequences?: number | undefined;
}

/** Estimates a model of this machine. */
export async function estimate(
  { machine, readings }: HandlerParts,
  { model, contextLengthTokens, kvCacheType, parallelSequences }: WantedLoad,
  signal: AbortSignal,
): Promise<EstimateAnswer> {
  await requireModel(model, readings);
  return machine.estimate(
    {
      model,
      settings: {
        contextLengthTokens: contextLengthTokens ?? null,
        kvCacheTypeK: kvCacheType ?? null,
        kvCacheTypeV: kvCacheType ?? null,
        parallelSequences: parallelSequences ?? null,
      },
    },
    { signal },
  );
}

/** Refuses a name that is not in the list of models. A host would open a file of that name, and clients may not read files. */
async function requireModel(model: string, readings: HandlerParts['readings']): Promise<void> {
  const { models } = await readings.models();
  const base = baseKeyOf(model);
  const variant = model.slice(base.length + 1);
  const isKey = (key: string): boolean => models.some(({ profile }) => profile.modelKey === key);
  if (isKey(model) || (isKey(base) && /^[\w.-]{1,64}$/.test(variant))) return;
  throw notFound(
    'MODEL_NOT_FOUND',
    `There is no model ${JSON.stringify(model)} here. /api/mai/models lists the models.`,
  );
}

/** Answers `what-if`. */
export async function whatIf(
  parts: HandlerParts,
  wanted: WantedLoad,
  signal: AbortSignal,
): Promise<AnswerOf<'whatIf'>> {
  const { report, fit, corrected, basis, ...answer } = await estimate(parts, wanted, signal);
  const { words } = parts;
  const { contextLengthTokens, kvCacheTypeK, kvCacheTypeV } = report.loadConfig;
  const { flashAttention, parallelSequences } = report.loadConfig;
  const footprint = corrected ?? fit?.footprint ?? null;
  return {
    modelKey: wanted.model,
    settings: {
      contextLengthTokens,
      kvCacheTypeK,
      kvCacheTypeV,
      flashAttention,
      parallelSequences,
    },
    maxContextLengthTokens: answer.maxContextLengthTokens,
    fits: fit === null ? null : fit.rejection === null,
    rejection: fit?.rejection ? rejectionView(fit.rejection, words) : null,
    footprint: footprint === null ? null : footprintView(footprint),
    corrected: corrected === null ? null : footprintView(corrected),
    parts: [
      partsView('ram', report.ram, report.ram.repackBytes),
      ...report.gpus.map((gpu, index) => partsView(`gpu ${index + 1}`, gpu, 0)),
    ],
    totalBytes: report.totalBytes,
    lowBytes: report.interval?.lowBytes ?? null,
    highBytes: report.interval?.highBytes ?? null,
    basis: basis.kind,
    pools: fit === null ? [] : poolChangesView(fit.pools, fit.resources, words),
    cheaper: fit?.cheaper ? cheaperView(fit.cheaper, words) : null,
    byContextLength: answer.byContextLength.map(({ loadConfig, totalBytes }) => ({
      contextLengthTokens: loadConfig.contextLengthTokens,
      totalBytes,
    })),
    lmStudioBytes: answer.lmStudio?.totalBytes ?? null,
  };
}

function partsView(
  device: string,
  parts: EstimateParts,
  repackBytes: number,
): AnswerOf<'whatIf'>['parts'][number] {
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes } = parts;
  return {
    device,
    weightsBytes,
    kvCacheBytes,
    recurrentStateBytes,
    computeBytes,
    outputBytes,
    visionBytes: (parts.visionProjectorBytes ?? 0) + (parts.visionEncoderBytes ?? 0),
    otherBytes: (parts.draftBytes ?? 0) + (parts.engineBytes ?? 0) + repackBytes,
    totalBytes: parts.totalBytes + repackBytes,
  };
}
