import {
  isTooSlow,
  valueOf,
  type Capability,
  type SelectionGoal,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { didYouMean, qualityUseOf, toSelectionPolicy, type QualityUse } from '@mai/model-config';
import { leftOutByKey } from '../downloads/left-out-models.js';
import { HostError } from '../host-error.js';
import { listModels, type ModelReport } from '../model-list/list-models.js';
import type { Session } from '../session/session.js';

/** The models to compare, and the goal. */
export interface CompareRequest {
  /** Model keys. Empty, the default: every downloaded model that fits and generates text. */
  readonly modelKeys?: readonly string[];
  /** How much speed counts beside quality. Default: `switching.goal` of the configuration. */
  readonly goal?: SelectionGoal | null;
  /** Only models with all of these capabilities, by their quality for this use. Default none: general use. */
  readonly capabilities?: readonly Capability[];
}

/** The compared models, the most valuable first. Those that are too slow come last, as in a chain that Mai derives. */
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
 * @throws HostError `MODEL_NOT_FOUND` for a model key that is not downloaded, `INVALID_REQUEST` for a model without the
 *   capabilities
 */
export async function compareModels(
  session: Session,
  { modelKeys = [], goal = null, capabilities = [] }: CompareRequest,
): Promise<Comparison> {
  const configured = toSelectionPolicy(session.config.config.switching);
  const policy = { ...configured, goal: goal ?? configured.goal };
  const { models } = await listModels(session, { capabilities });
  const missing = modelKeys.find((key) => !names(models, key));
  if (missing !== undefined) throw await notListed(missing, session, capabilities);
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
    models: inOrder(compared, policy),
  };
}

/** Models that are not too slow first, then by value. */
export function inOrder<One extends Pick<ComparedModel, 'speed' | 'value'>>(
  models: readonly One[],
  policy: Pick<SelectionPolicy, 'minTokensPerSecond'>,
): readonly One[] {
  const isSlow = ({ speed }: One): boolean => speed !== null && isTooSlow(speed, policy);
  return [...models].sort(
    (a, b) => Number(isSlow(a)) - Number(isSlow(b)) || (b.value ?? -1) - (a.value ?? -1),
  );
}

function names(models: readonly ModelReport[], key: string): boolean {
  return models.some(({ profile }) => profile.modelKey === key);
}

/** The error for a model key that the list of models with the capabilities does not contain. */
async function notListed(
  key: string,
  session: Session,
  capabilities: readonly Capability[],
): Promise<HostError> {
  const { models } = await listModels(session, {});
  if (names(models, key)) {
    return new HostError(
      'INVALID_REQUEST',
      `${key} does not have all of these capabilities: ${capabilities.join(', ')}. \`mai models\` lists the capabilities of each model.`,
    );
  }
  const note = leftOutByKey(await session.downloads()).get(key)?.note;
  if (note !== undefined) return new HostError('MODEL_NOT_FOUND', note);
  const guess = didYouMean(
    key,
    models.map(({ profile }) => profile.modelKey),
  );
  const next =
    guess === null ? '`mai models` lists the downloaded models.' : `Did you mean ${guess}?`;
  return new HostError('MODEL_NOT_FOUND', `${key} is not downloaded. ${next}`);
}
