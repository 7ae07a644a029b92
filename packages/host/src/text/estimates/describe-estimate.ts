import type { EstimateReport } from '@mai/memory-estimator';
import type { FitHere } from '../../estimates/fit-here.js';
import type { ModelEstimate } from '../../estimates/model-estimate.js';
import { describeEngine, describeUnknownSettings } from './describe-engine.js';
import { describeFootprint } from './describe-footprint.js';
import { describeTradeOffs } from '../decisions/describe-trade-offs.js';
import { explainRejection } from '../decisions/explain-rejection.js';
import { describeSpeed } from '../speed-words.js';
import { formatBytes, formatCount, formatSpeed } from '../../words.js';

/** The settings behind an estimate: the load, and the engine that the defaults are from. Each element is a paragraph. */
export function describeSettings({
  basis,
  report: { loadConfig, profile },
}: Pick<ModelEstimate, 'basis' | 'report'>): readonly string[] {
  const { kvCacheTypeK, kvCacheTypeV, parallelSequences, kvUnified } = loadConfig;
  // Only loads with layers on a GPU have this setting.
  const isCacheInRam = profile.settings.some(
    ({ setting, value }) => setting === 'offloadsKvCache' && value === false,
  );
  const facts = [
    `${formatCount(loadConfig.contextLengthTokens)} tokens of context`,
    // mlx-engine does not have these settings.
    ...(basis.kind === 'mlx'
      ? []
      : [
          `KV cache ${kvCacheTypeK === kvCacheTypeV ? kvCacheTypeK : `${kvCacheTypeK}/${kvCacheTypeV}`}${isCacheInRam ? ' in RAM' : ''}`,
          `flash attention ${loadConfig.flashAttention ? 'on' : 'off'}`,
        ]),
    parallelSequences === 1
      ? 'one sequence'
      : `${parallelSequences} sequences that ${kvUnified ? 'share one cache' : 'have a cache each'}`,
    loadConfig.gpuBackend === 'none'
      ? 'no GPU'
      : `${formatCount(loadConfig.gpuLayers)} layers on the GPU (${loadConfig.gpuBackend})`,
  ];
  const unknown = describeUnknownSettings(profile);
  const engine = `defaults of ${describeEngine(profile)}${unknown === null ? '' : `; ${unknown}`}`;
  return [facts.join(', '), engine];
}

/** What an estimate cannot know, and what contradicts the model, as sentences. */
export function estimateWarnings({
  basis,
  title,
  mlx,
  report,
  maxContextLengthTokens,
}: ModelEstimate): readonly string[] {
  const { contextLengthTokens } = report.loadConfig;
  const ofBasis =
    basis.kind === 'size'
      ? [`Only the size of ${title} is known, because ${basis.why}, so this is a rough guess.`]
      : basis.kind === 'mlx'
        ? (mlx?.notes ?? []).map((note) => `${title}: ${note}`)
        : basis.complete
          ? []
          : [describeIncomplete(basis.file)];
  return maxContextLengthTokens !== null && contextLengthTokens > maxContextLengthTokens
    ? [
        ...ofBasis,
        `The maximum context of ${title} is ${formatCount(maxContextLengthTokens)} tokens. The estimate is for ${formatCount(contextLengthTokens)} tokens.`,
      ]
    : ofBasis;
}

/** Says that a file lacks weights. */
export function describeIncomplete(file: string): string {
  return `${file} is a header or an unfinished download: its weights cannot be loaded.`;
}

/** The memory that an MLX model grows to; null for any other model. Its KV cache is not allocated at the load. */
export function describeMlxGrowth({
  mlx,
  report,
}: Pick<ModelEstimate, 'mlx' | 'report'>): string | null {
  if (mlx === null || mlx.peakBytes === null) return null;
  const { contextLengthTokens } = report.loadConfig;
  return [
    `Its KV cache grows with the tokens. While the model reads a prompt of ${formatCount(contextLengthTokens)} tokens, it takes ${formatBytes(mlx.peakBytes)}.`,
    ...(mlx.staysBelowWiredLimit === false
      ? [
          'Together with the 3 GiB that the engine keeps free, this is more than the GPU may hold here.',
        ]
      : []),
    ...(mlx.fittedContextTokens === null
      ? []
      : [
          `The auto-fit of the engine would choose ${formatCount(mlx.fittedContextTokens)} tokens here.`,
        ]),
  ].join(' ');
}

/** The footprint by measured loads on this machine, as a sentence; null without a measured load. */
export function describeCorrected({ corrected }: Pick<ModelEstimate, 'corrected'>): string | null {
  if (corrected === null) return null;
  return corrected.source === 'measured'
    ? `Measured on this machine: ${describeFootprint(corrected)}.`
    : `Corrected by measured loads on this machine: ${describeFootprint(corrected)}.`;
}

/** LM Studio's own estimate as a sentence; null where there is none. */
export function describeLmStudioEstimate({
  lmStudio,
}: Pick<ModelEstimate, 'lmStudio'>): string | null {
  if (lmStudio === null) return null;
  const { totalBytes, disagreementRatio } = lmStudio;
  const says = `LM Studio's own estimate, without compute buffers, is ${formatBytes(totalBytes)}`;
  return disagreementRatio === null
    ? `${says}.`
    : `${says}: ${disagreementRatio.toFixed(1)} times Mai's estimate for the same parts.`;
}

/** The KV cache of one sequence that an MLX model allocates after the load, in bytes; 0 for any other model. */
export function grownCacheBytes({ growth, loadConfig }: EstimateReport): number {
  const grown = growth?.parts.find(({ kind }) => kind === 'kv-cache');
  return (grown?.mostBytes ?? 0) / loadConfig.parallelSequences;
}

/** Whether a model fits this machine, as a sentence. */
export function describeFit({ rejection, cheaper }: FitHere): string {
  if (rejection === null) return 'It fits as it is.';
  if (cheaper !== null) return `It fits with ${describeTradeOffs(cheaper.tradeOffs)}.`;
  return rejection.code === 'INSUFFICIENT_RAM' || rejection.code === 'INSUFFICIENT_VRAM'
    ? `It ${explainRejection(rejection)}. No trade-off, such as a shorter context, makes it fit.`
    : `It cannot be loaded now: ${explainRejection(rejection)}.`;
}

/** How fast an estimated model would run, or why this is not known, as a sentence; empty where no reason is known. */
export function describeEstimatedSpeed({
  speed: estimated,
  speedGap,
  basis,
  fit,
}: Pick<ModelEstimate, 'speed' | 'speedGap' | 'basis' | 'fit'>): string {
  const cheaper = fit?.cheaper ?? null;
  const generates =
    cheaper === null ? 'Generates' : `With ${describeTradeOffs(cheaper.tradeOffs)}, it generates`;
  const figures =
    estimated === null ? '' : describeSpeed({ speed: estimated.speed, quality: null });
  if (speedGap !== null) return `The speed is not known, because ${speedGap}.`;
  if (estimated === null || figures === '') return '';
  const { measured, decodeTokensPerSecond } = estimated.speed;
  const { low, high } = decodeTokensPerSecond;
  return basis.kind === 'size' && !measured
    ? `${generates} ${figures}. This is a rough guess from the size of the model: ${formatSpeed(low)} to ${formatSpeed(high)} tokens a second are likely.`
    : `${generates} ${figures}.`;
}
