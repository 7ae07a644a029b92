import type { LoadConfig, Resources } from '@mai/memory-ledger';
import { measurePools } from '@mai/memory-ledger';
import type { EstimateEnvironment, EstimateReport, EstimateSettings } from '@mai/memory-estimator';
import { CPU_ENVIRONMENT, estimateFootprint, estimateFromFileSize } from '@mai/memory-estimator';
import { toSelectionPolicy } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import { environmentOf } from '../footprints/footprints.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { fitBeside, type ModelFit } from '../models/model-fit.js';
import { cheapestLoad, type CheaperLoad } from './cheaper-load.js';
import type { KnownModel } from './open-model.js';

/** Whether a model fits this machine now. */
export interface FitHere extends ModelFit {
  /** What was judged, with the context length filled in. */
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  /**
   * Where it does not fit: the cheapest load configuration that does, with the pools after loading that. Null
   * where there is none, or it fits.
   */
  readonly cheaper: (CheaperLoad & Pick<ModelFit, 'pools'>) | null;
}

/** Judges a header or a size beside everything that is loaded. Null where the settings name another GPU. */
export async function judgeAlone(
  known: KnownModel,
  { loadConfig: asked }: EstimateReport,
  { gpuBackend }: EstimateSettings,
  { monitor }: HostParts,
  context: HostContext,
): Promise<FitHere | null> {
  if (gpuBackend !== null && gpuBackend !== 'none') return null;
  if (known.kind === 'size' && !known.isHere) return null;
  const policy = toSelectionPolicy((await loadConfig(context)).config.switching);
  const resources = await monitor.port.snapshot({ signal: context.signal });
  const { batchTokens, ubatchTokens, kvUnified, swaFull } = asked;
  const environment: EstimateEnvironment = {
    ...(gpuBackend === 'none' ? CPU_ENVIRONMENT : environmentOf(resources)),
    ...{ batchTokens, ubatchTokens, kvUnified, swaFull },
    visionProjector: known.kind === 'header' ? known.visionProjector : null,
  };
  const wanted: LoadConfig = {
    contextLengthTokens: asked.contextLengthTokens,
    parallelSequences: asked.parallelSequences,
    offloadRatio: null,
    kvCacheTypeK: asked.kvCacheTypeK,
    kvCacheTypeV: asked.kvCacheTypeV,
    flashAttention: asked.flashAttention,
    cpuExpertRatio: null,
  };
  const footprint =
    known.kind === 'size'
      ? estimateFromFileSize(known, wanted, environment)
      : estimateFootprint(known.header, wanted, environment);
  const fit = { ...fitBeside(footprint, resources, policy), loadConfig: wanted, resources };
  if (fit.rejection === null || known.kind === 'size') return { ...fit, cheaper: null };
  const { header } = known;
  const pools = measurePools(resources, [], policy);
  const found = cheapestLoad({ header, loadConfig: wanted, environment, resources, pools });
  return {
    ...fit,
    cheaper: found && { ...found, pools: fitBeside(found.footprint, resources, policy).pools },
  };
}
