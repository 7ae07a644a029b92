import { CAPABILITIES } from '@mai/memory-ledger';
import { codeOf, messageOf } from '../error-facts.js';
import type { LeaseGrantPort, LeaseRequest } from '../leases/lease-types.js';
import type {
  ServingCatalog,
  ServingLease,
  ServingPlan,
  ServingPort,
  ServingRequest,
} from './serving-port.js';

/** The allowance for other hosts on this machine now. */
export interface GuestLimits {
  /** Bytes that models loaded for other hosts may take; null where other hosts may load nothing at this hour. */
  readonly allowedBytes: number | null;
}

interface GuestLoad {
  readonly modelKey: string;
  readonly bytes: number;
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
  /** The loads for guests that are under way. Guests that ask at the same time are not allowed more than one after another. */
  const underWay = new Set<GuestLoad>();

  /** Bytes that guests take besides a model. */
  const guestBytes = ({ models }: ServingCatalog, except: string | null): number => {
    for (const modelKey of loadedForGuests.keys()) {
      const isLoaded = models.some((one) => one.modelKey === modelKey && one.residents.length > 0);
      if (!isLoaded) loadedForGuests.delete(modelKey);
    }
    const bytes = new Map(loadedForGuests);
    for (const load of underWay) bytes.set(load.modelKey, load.bytes);
    return [...bytes].reduce((sum, [modelKey, one]) => sum + (modelKey === except ? 0 : one), 0);
  };

  /** Allows a load, which counts from now on. */
  const beginLoad = async ({ modelKey, loadBytes }: ServingPlan): Promise<GuestLoad> => {
    const { allowedBytes } = limits();
    if (allowedBytes === null) {
      throw new GuestRefused(
        'NO_GUESTS',
        'Other hosts may load no model here at this hour (fleet.guests in models.yaml).',
        {},
      );
    }
    const catalog = await local.catalog();
    // From here on without a pause, so that no other request is allowed the same bytes.
    const isUnderWay = [...underWay].some((load) => load.modelKey === modelKey);
    // Requests for a model whose load is under way wait for the same load.
    const takenBytes = guestBytes(catalog, isUnderWay ? modelKey : null);
    // A model of unknown size may take all of the allowance.
    const neededBytes = loadBytes ?? allowedBytes;
    if (takenBytes + neededBytes > allowedBytes) {
      throw new GuestRefused(
        'GUEST_SHARE_EXCEEDED',
        `${modelKey ?? 'The model'} would take more memory than other hosts may have here (fleet.guests.memory_percent in models.yaml).`,
        { neededBytes, takenBytes, allowedBytes },
      );
    }
    const load = { modelKey: modelKey ?? '', bytes: neededBytes };
    underWay.add(load);
    return load;
  };

  const leaseFor = async (
    wanted: ServingRequest,
    load: GuestLoad | null,
    signal: AbortSignal,
  ): Promise<ServingLease> => {
    if (load === null) return local.acquire(wanted, { signal });
    try {
      const lease = await local.acquire(wanted, { signal });
      loadedForGuests.set(lease.modelKey, load.bytes);
      return lease;
    } finally {
      underWay.delete(load);
    }
  };

  return {
    acquire: async (request, { signal }) => {
      const wanted = servingRequest(request);
      const plan = await local.plan(wanted, { signal });
      const load = plan.decision === 'load' ? await beginLoad(plan) : null;
      const lease = await leaseFor(wanted, load, signal);
      const { modelKey, instanceIdentifier, tier, contextLengthTokens, decisionId } = lease;
      return {
        resident: {
          modelKey,
          instanceIdentifier,
          tier,
          contextLengthTokens,
          decisionId,
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
  return { ...request, promptTokens: null, prefixKey: null };
}
