import type { Estimate, EstimateQuestion } from '@mai/autopilot';
import type { DownloadedModel, ResourceEstimate } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { Downloads } from '../downloads/downloads-list.js';

/** LM Studio's own estimate; null where LM Studio is not the runtime or is off, and where the model was deleted after it was listed. */
export async function askLMStudio(
  { modelKey, loadConfig, deviceIdentifier }: EstimateQuestion,
  model: DownloadedModel | null,
  { link }: Downloads,
  options: { readonly signal?: AbortSignal },
): Promise<ResourceEstimate | null> {
  if (link.kind === 'off' || link.runtime === 'embedded') return null;
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
 * The verdict of LM Studio's guardrails. LM Studio assumes that all residents stay. So where models are
 * loaded, a refusal says nothing about a switch that unloads some of them first, and null is returned.
 * At the load, LM Studio judges again.
 */
export function verdictOf(
  estimate: ResourceEstimate | null,
  anythingLoaded: boolean,
): Estimate['guardrails'] {
  if (estimate === null) return null;
  if (estimate.passesGuardrails) return 'pass';
  return anythingLoaded ? null : 'refuse';
}
