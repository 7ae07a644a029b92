import { CAPABILITIES } from '@mai/memory-ledger';
import { codeOf, messageOf } from '../error-facts.js';
import type { LeaseGrantPort, LeaseRequest } from '../leases/lease-types.js';
import type { ServingPlan, ServingPort, ServingRequest } from './serving-port.js';

/** The allowance for other hosts on this machine now. */
export interface GuestLimits {
  /** Bytes that models loaded for other hosts may take; null where other hosts may load nothing at this hour. */
  readonly allowedBytes: number | null;
}

/** A refusal of this machine's own rules for guests. */
class GuestRefused extends Error {
  constructor(
    readonly code: 'NO_GUESTS' | 'GUEST_SHARE_EXCEEDED',
    message: string,
    readonly figures: Readonly<Record<string, number>>,
  ) {
    super(message);
  }
}

/**
 * Serves the leases of other hosts from this machine's own port. The machine itself decides: a resident that serves is
 * given; a load needs the allowance for guests, and room by the rules of this machine.
 *
 * @param limits - read at each request
 * @param loadMsOf - expected milliseconds of a load; null where it is not known
 */
export function createGrantPort(
  local: ServingPort,
  limits: () => GuestLimits,
  loadMsOf: (modelKey: string) => number | null,
): LeaseGrantPort {
  /** Bytes of the models that were loaded for guests, by model key. */
  const loadedForGuests = new Map<string, number>();

  const guestBytes = async (): Promise<number> => {
    const { models } = await local.catalog();
    let total = 0;
    for (const [modelKey, bytes] of loadedForGuests) {
      const isLoaded = models.some((one) => one.modelKey === modelKey && one.residents.length > 0);
      if (isLoaded) total += bytes;
      else loadedForGuests.delete(modelKey);
    }
    return total;
  };

  const checkLoad = async ({ modelKey, loadBytes }: ServingPlan): Promise<void> => {
    const { allowedBytes } = limits();
    if (allowedBytes === null) {
      throw new GuestRefused(
        'NO_GUESTS',
        'Other hosts may load no model here at this hour (fleet.guests in models.yaml).',
        {},
      );
    }
    const takenBytes = await guestBytes();
    const neededBytes = loadBytes ?? 0;
    if (takenBytes + neededBytes > allowedBytes) {
      throw new GuestRefused(
        'GUEST_SHARE_EXCEEDED',
        `${modelKey ?? 'The model'} would take more memory than other hosts may have here (fleet.guests.memory_percent in models.yaml).`,
        { neededBytes, takenBytes, allowedBytes },
      );
    }
  };

  return {
    acquire: async (request, { signal }) => {
      const wanted = servingRequest(request);
      const plan = await local.plan(wanted, { signal });
      if (plan.decision === 'load') await checkLoad(plan);
      const lease = await local.acquire(wanted, { signal });
      if (plan.decision === 'load') loadedForGuests.set(lease.modelKey, plan.loadBytes ?? 0);
      const { modelKey, instanceIdentifier, tier, contextLengthTokens, decisionId } = lease;
      return {
        resident: {
          ...{ modelKey, instanceIdentifier, tier, contextLengthTokens, decisionId },
          capabilities: CAPABILITIES.filter((one) => lease.capabilities.includes(one)),
        },
        lost: lease.lost,
        release: () => lease.release(),
      };
    },
    expectedMs: async (request, { signal }) => {
      const { decision, modelKey } = await local.plan(servingRequest(request), { signal });
      if (decision === 'serve') return 0;
      return decision === 'load' && modelKey !== null ? loadMsOf(modelKey) : null;
    },
    refusalOf: (error) => {
      const figures = error instanceof GuestRefused ? error.figures : {};
      return { reason: codeOf(error) ?? 'FAILED', message: messageOf(error), figures };
    },
  };
}

function servingRequest({ requestId: _, ...request }: LeaseRequest): ServingRequest {
  return request;
}
