import type { Answers, ChainStep, Model, PoolChange } from '../../src/api/api.generated.js';
import {
  BESIDE,
  CHAIN,
  configured,
  footprintOf,
  GIB,
  loadConfigOf,
  modelOf,
  partsOf,
  VALUE_BYTES,
  type Asked,
  type ScriptedModel,
} from './models.js';
import { FOREIGN, poolChanges, POOLS, takenBy } from './story.js';

type Others = readonly [number, number];

/** The pools if this load ran beside the embedding model. */
function poolsWith(model: ScriptedModel, asked: Asked, others: Others): readonly PoolChange[] {
  const { mappedBytes, anonymousBytes, gpus } = footprintOf(model, asked, false);
  const takes = [mappedBytes + anonymousBytes, gpus[0]?.bytes ?? 0];
  return POOLS.map((pool, index) => {
    const own = others[index === 0 ? 0 : 1];
    const before = own + takenBy(FOREIGN)[index === 0 ? 0 : 1];
    const useAfterBytes = before + (takes[index] ?? 0);
    return {
      ...pool,
      measured: true,
      othersBytes: own,
      yieldedBytes: 0,
      useBeforeBytes: before,
      useAfterBytes,
      headroomBytes: pool.totalBytes - useAfterBytes,
    };
  });
}

function rejectionOf(model: ScriptedModel, asked: Asked, others: Others) {
  if (!model.downloaded) return { code: 'NOT_DOWNLOADED', text: 'not downloaded' };
  const short = poolsWith(model, asked, others).find((one) => one.useAfterBytes > one.limitBytes);
  if (short === undefined) return null;
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  const needed = short.useAfterBytes - short.useBeforeBytes;
  return {
    code: short.label === 'RAM' ? 'INSUFFICIENT_RAM' : 'INSUFFICIENT_VRAM',
    text: `needs ${gib(short.useAfterBytes - short.limitBytes)} more ${short.label} (takes ${gib(needed)}, allowed ${gib(short.limitBytes - short.useBeforeBytes)})`,
  };
}

function obstacleOf(
  nothing: boolean,
  missingFolder: string | null,
): Pick<Answers['models']['chain'], 'obstacle' | 'obstacleKind'> {
  if (!nothing) return { obstacle: null, obstacleKind: null };
  if (missingFolder !== null)
    return { obstacle: `The folder ${missingFolder} does not exist.`, obstacleKind: 'not-usable' };
  return { obstacle: 'No model is downloaded.', obstacleKind: 'nothing-downloaded' };
}

export function modelsAnswer(
  others: Others,
  resident: readonly string[],
  nothing: boolean,
  missingFolder: string | null = null,
): Answers['models'] {
  const chain = nothing ? CHAIN.map((one) => ({ ...one, downloaded: false })) : CHAIN;
  const chosen = chain.findIndex((one) => rejectionOf(one, configured(one), others) === null);
  const steps = chain.map((model, index): ChainStep => {
    const rejection = rejectionOf(model, configured(model), others);
    const preferred = { code: 'PREFERRED_CANDIDATE_FITS', text: 'a model before it fits' };
    return {
      modelKey: model.modelKey,
      displayName: model.modelKey,
      tier: model.tier,
      capabilities: [...model.capabilities],
      downloaded: model.downloaded,
      loaded: resident.includes(model.modelKey),
      verdict: index === chosen ? 'chosen' : rejection === null ? 'fits' : 'rejected',
      rejection: index === chosen ? null : (rejection ?? preferred),
      loadConfig: loadConfigOf(model),
      footprint: model.downloaded ? footprintOf(model, configured(model), false) : null,
      tradeOffs: null,
      speed: model.speed,
      quality: model.quality,
    };
  });
  const models = [...chain, ...(nothing ? [] : BESIDE)].map((model): Model => {
    const rejection = rejectionOf(model, configured(model), others);
    return {
      modelKey: model.modelKey,
      displayName: model.modelKey,
      tier: model.tier,
      capabilities: [...model.capabilities],
      downloaded: model.downloaded,
      loaded: resident.includes(model.modelKey),
      sizeBytes: model.weightsGib * GIB,
      contextLengthTokens: model.contextLengthTokens,
      maxContextLengthTokens: model.maxContextLengthTokens,
      loadConfig: loadConfigOf(model),
      footprint: model.downloaded ? footprintOf(model, configured(model), false) : null,
      fits: rejection === null,
      rejection,
      cheaper: null,
      speed: model.speed,
      quality: model.quality,
    };
  });
  return {
    chain: {
      name: 'default',
      names: ['default'],
      decision: nothing ? 'none' : 'keep',
      steps,
      pools: [...poolChanges(others, resident, resident)],
      ...obstacleOf(nothing, missingFolder),
    },
    models,
    downloadedCount: models.filter(({ downloaded }) => downloaded).length,
    unusable: [],
  };
}

export function whatIfAnswer(query: URLSearchParams, others: Others): Answers['whatIf'] | null {
  const model = modelOf(query.get('model') ?? '');
  if (model === undefined) return null;
  const type = query.get('kvCacheType');
  const asked: Asked = {
    contextLengthTokens: Number(query.get('contextLengthTokens') ?? model.contextLengthTokens),
    bytesPerValue: VALUE_BYTES[type ?? 'f16'] ?? 2,
    parallelSequences: Number(query.get('parallelSequences') ?? 1),
  };
  const { gpu, ram } = partsOf(model, asked);
  const footprint = footprintOf(model, asked, false);
  const rejection = rejectionOf(model, asked, others);
  const kvCacheType = type === 'f16' || type === 'q8_0' || type === 'q4_0' ? type : null;
  const none = { recurrentStateBytes: 0, outputBytes: 0, visionBytes: 0, otherBytes: 0 };
  return {
    modelKey: model.modelKey,
    settings: {
      contextLengthTokens: asked.contextLengthTokens,
      kvCacheTypeK: kvCacheType,
      kvCacheTypeV: kvCacheType,
      flashAttention: null,
      parallelSequences: asked.parallelSequences,
    },
    maxContextLengthTokens: model.maxContextLengthTokens,
    fits: rejection === null,
    rejection,
    footprint,
    parts: [
      {
        device: 'gpu0',
        weightsBytes: gpu.weights,
        kvCacheBytes: gpu.kv,
        ...none,
        computeBytes: gpu.compute,
        totalBytes: gpu.weights + gpu.kv + gpu.compute,
      },
      {
        device: 'ram',
        weightsBytes: ram.weights,
        kvCacheBytes: 0,
        ...none,
        computeBytes: ram.compute,
        totalBytes: ram.weights + ram.compute,
      },
    ],
    totalBytes: footprint.totalBytes,
    lowBytes: footprint.lowBytes,
    highBytes: footprint.highBytes,
    basis: 'header',
    pools: [...poolsWith(model, asked, others)],
    cheaper: null,
    byContextLength: [4096, model.contextLengthTokens, model.maxContextLengthTokens].map(
      (contextLengthTokens) => ({
        contextLengthTokens,
        totalBytes: footprintOf(model, { ...asked, contextLengthTokens }, false).totalBytes,
      }),
    ),
    corrected: null,
    lmStudioBytes: null,
  };
}
