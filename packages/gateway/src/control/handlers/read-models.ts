import type { MachineModel, SelectionAnswer } from '../../ports/control-port.js';
import { notFound } from '../control-failure.js';
import {
  cheaperView,
  footprintView,
  loadConfigView,
  poolChangesView,
  rejectionView,
} from '../views/memory-views.js';
import { speedView } from '../views/speed-view.js';
import type { AnswerOf, HandlerParts } from './handlers.js';

const DEFAULT_CHAIN = 'default';

/** Answers `models`. */
export async function readModels(
  { machine, readings, words }: HandlerParts,
  chain: string = DEFAULT_CHAIN,
): Promise<AnswerOf<'models'>> {
  const names = Object.keys((await machine.config()).config.fallbackChains);
  if (chain !== DEFAULT_CHAIN && !names.includes(chain)) {
    throw notFound(
      'CHAIN_NOT_FOUND',
      `There is no fallback chain ${JSON.stringify(chain)}. The configuration has: ${names.join(', ')}.`,
    );
  }
  const [{ models, downloadedCount, unusable }, answer] = await Promise.all([
    readings.models(),
    readings.selection(chain === DEFAULT_CHAIN ? null : chain),
  ]);
  const { selection, input, obstacle } = answer;
  return {
    chain: {
      name: chain,
      names,
      decision: selection.decision,
      steps: chainSteps(answer, models, words),
      pools: poolChangesView(selection.pools, input.resources, words),
      obstacle: obstacle === null ? null : words.describeObstacle(obstacle),
      obstacleKind: obstacle?.kind ?? null,
    },
    models: models.map((model) => modelView(model, words)),
    downloadedCount,
    unusable: unusable.map(({ modelKey, path, why }) => ({
      modelKey: modelKey ?? path,
      reason: why,
    })),
  };
}

function chainSteps(
  { selection, input }: SelectionAnswer,
  models: readonly MachineModel[],
  words: HandlerParts['words'],
): AnswerOf<'models'>['chain']['steps'] {
  const { chosen, rejected } = selection;
  return input.candidates.map((candidate, index) => {
    const isChosen = chosen?.candidateIndex === index;
    const decided = rejected.find((one) => one.candidateIndex === index)?.rejection ?? null;
    const isAfter = decided?.code === 'PREFERRED_CANDIDATE_FITS';
    const option = candidate.loadOptions[isChosen ? chosen.optionIndex : 0] ?? null;
    const { modelKey, displayName, tier, capabilities, downloaded } = candidate;
    // The decision does not judge a model after the chosen one. The list of models does, with and without trade-offs.
    const judged = isAfter
      ? models.find(({ profile }) => profile.modelKey === modelKey)
      : undefined;
    const cheaper = judged?.cheaper ?? null;
    const rejection = (cheaper === null ? judged?.rejection : null) ?? decided;
    const load = cheaper ?? option;
    return {
      modelKey,
      displayName,
      tier,
      capabilities: [...capabilities],
      downloaded,
      loaded: input.residents.some((resident) => resident.modelKey === modelKey),
      verdict: isChosen
        ? 'chosen'
        : rejection?.code === 'PREFERRED_CANDIDATE_FITS'
          ? 'fits'
          : 'rejected',
      rejection: rejection === null ? null : rejectionView(rejection, words),
      loadConfig: load === null ? null : loadConfigView(load.loadConfig),
      footprint: load?.footprint ? footprintView(load.footprint) : null,
      tradeOffs:
        load === null || load.tradeOffs.length === 0
          ? null
          : words.describeTradeOffs(load.tradeOffs),
      speed: speedView((cheaper === null ? option?.speed : judged?.speed) ?? null),
      quality: option?.quality ?? null,
    };
  });
}

function modelView(
  { profile, footprint, rejection, cheaper, sizeBytes, loaded, speed, quality }: MachineModel,
  words: HandlerParts['words'],
): AnswerOf<'models'>['models'][number] {
  return {
    modelKey: profile.modelKey,
    displayName: profile.displayName,
    tier: profile.tier,
    capabilities: [...profile.capabilities],
    downloaded: profile.downloaded,
    loaded,
    sizeBytes,
    contextLengthTokens: profile.contextLengthTokens,
    maxContextLengthTokens: profile.maxContextLengthTokens,
    loadConfig: loadConfigView(profile.loadConfig),
    footprint: footprint === null ? null : footprintView(footprint),
    fits: rejection === null,
    rejection: rejection === null ? null : rejectionView(rejection, words),
    cheaper: cheaper === null ? null : cheaperView(cheaper, words),
    speed: speedView(speed),
    quality,
  };
}
