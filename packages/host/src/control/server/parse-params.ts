import {
  isName,
  KV_CACHE_TYPES,
  oneLine,
  TIERS,
  type LoadConfig,
  type Tier,
} from '@mai/memory-ledger';
import type { LeaseRequest, Yield } from '@mai/autopilot';
import type { Requirement } from '@mai/selector';
import { HostError } from '../../host-error.js';
import type { HandLoad, HandLoadCandidate, HandUnload } from '../autopilot-service.js';
import { isAmount, isRecord } from '../../guards.js';
import { NO_REQUEST } from '../no-request.js';

/**
 * Checks the parameters of a call. A text that is kept and shown, such as the name of a yield, must be one line (`isName`). A text that
 * only refers to something that exists may be any: it finds something or not, and an entry of an earlier version can be removed.
 *
 * @throws HostError `INVALID_REQUEST`
 */
export const parseParams = {
  /** An absent field gets its default. */
  leaseRequest: (params: unknown): Required<LeaseRequest> =>
    check(
      'request for a lease',
      isRecord(params) ? { ...NO_REQUEST, ...withoutUndefined(params) } : params,
      isLeaseRequest,
    ),
  target: (params: unknown): string => check('target of a pin', params, isNewName),
  names: (params: unknown): readonly string[] => check('list of names', params, isTexts),
  yield: (params: unknown): Yield => check('yield', params, isYield),
  load: (params: unknown): HandLoad => check('load by hand', params, isLoad),
  unload: (params: unknown): HandUnload => check('unload by hand', params, isUnload),
  lease: (params: unknown): number => check('number of a lease', params, isAmount),
};

/** Maximum number of characters of a value in a message. */
const QUOTED_MAX = 200;

function check<Value>(what: string, value: unknown, is: (value: unknown) => value is Value): Value {
  if (is(value)) return value;
  const text = oneLine(JSON.stringify(value ?? null));
  const quoted = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text;
  throw new HostError(
    'INVALID_REQUEST',
    `The parameters are not a valid ${what}: ${quoted}. Check the names and the types of the fields.`,
  );
}

function isRequirement(value: unknown): value is Requirement {
  if (!isRecord(value)) return false;
  const { capabilities, minContextLengthTokens, tiers } = value;
  const { preferredContextLengthTokens = null } = value;
  return (
    isTexts(capabilities) &&
    isNullOr(minContextLengthTokens, isAmount) &&
    isNullOr(preferredContextLengthTokens, isAmount) &&
    (tiers === null || (Array.isArray(tiers) && tiers.every(isTier)))
  );
}

function isLeaseRequest(value: unknown): value is Required<LeaseRequest> {
  if (!isRecord(value)) return false;
  const { chain, modelKey, instanceIdentifier, failed } = value;
  return (
    isRequirement(value) &&
    isNullOr(chain, isText) &&
    isNullOr(modelKey, isText) &&
    isNullOr(instanceIdentifier, isText) &&
    isTexts(failed)
  );
}

function withoutUndefined(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function isTier(value: unknown): value is Tier {
  return TIERS.some((tier) => tier === value);
}

function isYield(value: unknown): value is Yield {
  if (!isRecord(value)) return false;
  const { name, bytes, pools, sinceMs, untilMs, processId } = value;
  return (
    isNewName(name) &&
    isAmount(bytes) &&
    (pools === 'ram' || pools === 'gpu' || pools === 'all') &&
    isAmount(sinceMs) &&
    isNullOr(untilMs, isAmount) &&
    isNullOr(processId, isAmount)
  );
}

function isLoad(value: unknown): value is HandLoad {
  if (!isRecord(value)) return false;
  const { candidates, identifier, ttlMs, timeoutMs } = value;
  return (
    Array.isArray(candidates) &&
    candidates.length > 0 &&
    candidates.every(isCandidate) &&
    isNullOr(identifier, isNewName) &&
    isNullOr(ttlMs, isAmount) &&
    isNullOr(timeoutMs, isAmount)
  );
}

function isCandidate(value: unknown): value is HandLoadCandidate {
  if (!isRecord(value)) return false;
  const { modelKey, kind, loadConfig } = value;
  return (
    isText(modelKey) &&
    (kind === null || kind === 'llm' || kind === 'embedding') &&
    isLoadConfig(loadConfig)
  );
}

/** A guard for every field of `LoadConfig`. A missing entry is a compile error. */
const LOAD_CONFIG_GUARDS: Readonly<Record<keyof LoadConfig, (value: unknown) => boolean>> = {
  contextLengthTokens: isAmount,
  parallelSequences: isAmount,
  offloadRatio: isAmount,
  kvCacheTypeK: isKvCacheType,
  kvCacheTypeV: isKvCacheType,
  flashAttention: isFlag,
  cpuExpertRatio: isAmount,
};

function isLoadConfig(value: unknown): value is LoadConfig {
  return (
    isRecord(value) &&
    Object.entries(LOAD_CONFIG_GUARDS).every(([field, is]) => isNullOr(value[field], is))
  );
}

function isKvCacheType(value: unknown): boolean {
  return KV_CACHE_TYPES.some((type) => type === value);
}

function isUnload(value: unknown): value is HandUnload {
  return isRecord(value) && isTexts(value['instanceIdentifiers']) && isFlag(value['force']);
}

function isNullOr(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === null || is(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNewName(value: unknown): value is string {
  return typeof value === 'string' && isName(value);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
