import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { EstimateReport, EstimateSettings } from '@mai/memory-estimator';
import { combineWithLMStudio } from '@mai/memory-estimator';
import { openCalibration } from '../compose/calibration.js';
import type { LMStudioLink } from '../compose/connect-lmstudio.js';
import { withLink } from '../compose/connect-lmstudio.js';
import type { CommandContext } from '../context.js';

/** What else is known of a downloaded model's footprint beside its header. */
export interface OtherSources {
  /** The header's estimate, corrected by what loads took on this machine; null where none was measured. */
  readonly corrected: Footprint | null;
  /** LM Studio's own figure; null where it is off or tells none. */
  readonly lmStudio: {
    readonly totalBytes: number;
    /** As a share of what the header gives for the same parts, where they differ by over a quarter. */
    readonly disagreementRatio: number | null;
  } | null;
}

export function otherSources(
  modelKey: string,
  footprint: Footprint,
  settings: EstimateSettings,
  { loadConfig: { contextLengthTokens } }: EstimateReport,
  context: CommandContext,
): Promise<OtherSources> {
  const loadConfig: LoadConfig = {
    contextLengthTokens,
    parallelSequences: settings.parallelSequences,
    offloadRatio: null,
    kvCacheTypeK: settings.kvCacheTypeK,
    kvCacheTypeV: settings.kvCacheTypeV,
    flashAttention: settings.flashAttention,
    cpuExpertRatio: null,
  };
  return withLink(context, async (link) => {
    const corrected = await openCalibration(context, link).correct(footprint, modelKey, loadConfig);
    return {
      corrected: corrected === footprint ? null : corrected,
      lmStudio: await askLMStudio(link, modelKey, loadConfig, footprint, context.signal),
    };
  });
}

async function askLMStudio(
  link: LMStudioLink,
  modelKey: string,
  loadConfig: LoadConfig,
  footprint: Footprint,
  signal: AbortSignal,
): Promise<OtherSources['lmStudio']> {
  if (link.kind === 'off') return null;
  try {
    const estimate = await link.client.estimate(modelKey, loadConfig, { signal });
    if (estimate === null) return null;
    const { disagreementRatio } = combineWithLMStudio(footprint, estimate);
    return { totalBytes: estimate.totalBytes, disagreementRatio };
  } catch (error) {
    // One more opinion that can't be had takes nothing from the estimate.
    if (isLMStudioError(error)) return null;
    throw error;
  }
}
