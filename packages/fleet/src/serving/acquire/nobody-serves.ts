import { codeOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';
import type { PlacementAttempt } from '../../journal/placed-request.js';
import { describeReason } from '../../placement/explain/explain-placement.js';
import type { Placement } from '../../placement/placement.js';
import type { KnownHost } from '../../state/known-host.js';
import { locateInstance } from '../catalog/instance-names.js';
import type { ServingRequest } from '../serving-port.js';

/** Maximum number of hosts whose reasons are given. */
const REASONS_MAX = 5;

/**
 * The error of a request that no host serves. It is that of this machine, except where this machine does not have the model and
 * others do: then their reasons are given, because the list of models has the model.
 *
 * @param failure - the error of this machine
 */
export function nobodyServes(
  failure: unknown,
  { notTaken }: Placement,
  attempts: readonly PlacementAttempt[],
  ownHost: string,
): unknown {
  if (codeOf(failure) !== 'MODEL_NOT_FOUND') return failure;
  const reasonOf = new Map<string, string>();
  for (const { host, reason } of notTaken) {
    if (reason.code !== 'MODEL_MISSING') reasonOf.set(host, describeReason(reason));
  }
  for (const { host, message } of attempts) if (message !== null) reasonOf.set(host, message);
  reasonOf.delete(ownHost);
  if (reasonOf.size === 0) return failure;
  const reasons = [...reasonOf].map(([host, why]) => `${host}: ${why}`);
  const more = reasons.length > REASONS_MAX ? ` ${reasons.length - REASONS_MAX} more hosts.` : '';
  return new FleetError(
    'NO_HOST_SERVES',
    `No host of the fleet serves this request now. ${reasons.slice(0, REASONS_MAX).join(' ')}${more}`,
    { cause: failure },
  );
}

/**
 * The error of a request for a model or a resident that only hosts have which gave no answer a moment ago. They are left out for a
 * while, and the list of models still has their models. Any other error is returned as it is.
 *
 * @param leftOut - the hosts that are left out
 */
export function leftOutServes(
  failure: unknown,
  { modelKey, instanceIdentifier }: ServingRequest,
  leftOut: readonly KnownHost[],
  ownHost: string,
): unknown {
  if (codeOf(failure) !== 'MODEL_NOT_FOUND') return failure;
  const named =
    instanceIdentifier === null ? null : locateInstance(instanceIdentifier, ownHost).host;
  const havers = leftOut
    .filter(({ state }) =>
      named === null
        ? state.models.some((model) => model.modelKey === modelKey)
        : state.host === named,
    )
    .map(({ state }) => state.host);
  if (havers.length === 0) return failure;
  return new FleetError(
    'NO_HOST_SERVES',
    `No host of the fleet serves this request now. No answer came a moment ago from ${havers.slice(0, REASONS_MAX).join(', ')}.`,
    { cause: failure },
  );
}
