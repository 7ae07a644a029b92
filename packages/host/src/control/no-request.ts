import type { LeaseRequest } from '@mai/autopilot';
import { NO_REQUIREMENT } from '@mai/selector';

/** A request that every model of the default chain meets. */
export const NO_REQUEST: Required<LeaseRequest> = {
  ...NO_REQUIREMENT,
  preferredContextLengthTokens: null,
  chain: null,
  modelKey: null,
  instanceIdentifier: null,
  failed: [],
};
