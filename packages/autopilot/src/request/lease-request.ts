import type { Requirement } from '@mai/selector';

/** The target of a caller, besides the properties of the model. Null sets no condition. */
export interface LeaseTarget {
  /** Name of the fallback chain; null is the autopilot's own chain. */
  readonly chain: string | null;
  /** Only this model, which need not be in a chain. */
  readonly modelKey: string | null;
  /** Only this resident. Nothing is loaded for it. */
  readonly instanceIdentifier: string | null;
}

/** A request for a lease. An absent field sets no condition. */
export interface LeaseRequest extends Requirement, Partial<LeaseTarget> {
  /**
   * Identifiers of residents that have just failed. They are leased again only after the runtime has listed
   * its residents.
   */
  readonly failed?: readonly string[];
}

/** The target of a request, with its defaults filled in. */
export function targetOf({
  chain = null,
  modelKey = null,
  instanceIdentifier = null,
}: LeaseRequest): LeaseTarget {
  return { chain, modelKey, instanceIdentifier };
}

/** The requirement of a request, without its target. */
export function requirementOf({
  capabilities,
  minContextLengthTokens,
  preferredContextLengthTokens = null,
  tiers,
}: LeaseRequest): Requirement {
  return { capabilities, minContextLengthTokens, preferredContextLengthTokens, tiers };
}

/** Equal for equal targets. */
export function targetKey({ chain, modelKey, instanceIdentifier }: LeaseTarget): string {
  return JSON.stringify([chain, modelKey, instanceIdentifier]);
}
