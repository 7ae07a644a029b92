import { valueOf, type Capability, type SelectionGoal } from '@mai/memory-ledger';
import { qualityUseOf, toSelectionPolicy, type QualityUse } from '@mai/model-config';
import { HostError } from '../host-error.js';
import { listModels, type ModelReport } from '../model-list/list-models.js';
import type { Session } from '../session.js';

/** The models to compare, and the goal. */
export interface CompareRequest {
  /** Model keys. Empty, the default: every downloaded model that fits and generates text. */
  readonly modelKeys?: readonly string[];
  /** How much speed counts beside quality. Default: `switching.goal` of the configuration. */
  readonly goal?: SelectionGoal | null;
  /** Only models with all of these capabilities, by their quality for this use. Default none: general use. */
  readonly capabilities?: readonly Capability[];
}

/** The compared models, the most valuable first. */
export interface Comparison {
  readonly goal: SelectionGoal;
  /** The use that the qualities are for. */
  readonly use: QualityUse;
  readonly minTokensPerSecond: number;
  readonly models: readonly ComparedModel[];
}

/** A model with the load that would be chosen for it. */
export interface ComparedModel extends Pick<
  ModelReport,
  'footprint' | 'speed' | 'quality' | 'loaded' | 'rejection' | 'cheaper'
> {
  readonly modelKey: string;
  /** 0 to 1: quality, less what slow answers cost for the goal. Null where the quality is not known. */
  readonly value: number | null;
}

/**
 * Compares models on this machine.
 *
 * @throws HostError `INVALID_REQUEST` for a model key that is not listed
 */
export async function compareModels(
  session: Session,
  { modelKeys = [], goal = null, capabilities = [] }: CompareRequest,
): Promise<Comparison> {
  const configured = toSelectionPolicy(session.config.config.switching);
  const policy = { ...configured, goal: goal ?? configured.goal };
  const { models } = await listModels(session, { capabilities });
  const missing = modelKeys.find((key) => !models.some(({ profile }) => profile.modelKey === key));
  if (missing !== undefined) {
    throw new HostError(
      'INVALID_REQUEST',
      capabilities.length === 0
        ? `${missing} is not downloaded. \`mai models\` lists the downloaded models.`
        : `No downloaded model ${missing} has these capabilities: ${capabilities.join(', ')}. \`mai models\` lists the downloaded models.`,
    );
  }
  const isAsked = ({ profile, rejection, cheaper }: ModelReport): boolean =>
    modelKeys.length > 0
      ? modelKeys.includes(profile.modelKey)
      : !profile.capabilities.includes('embedding') && (rejection === null || cheaper !== null);
  const compared = models
    .filter(isAsked)
    .map(({ profile, footprint, speed, quality, loaded, rejection, cheaper }): ComparedModel => ({
      modelKey: profile.modelKey,
      footprint,
      speed,
      quality,
      loaded,
      rejection,
      cheaper,
      value: valueOf({ speed, quality }, policy),
    }));
  return {
    goal: policy.goal,
    use: qualityUseOf(capabilities),
    minTokensPerSecond: policy.minTokensPerSecond,
    models: compared.sort((a, b) => (b.value ?? -1) - (a.value ?? -1)),
  };
}
