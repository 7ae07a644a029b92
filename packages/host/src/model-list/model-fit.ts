import type { AssembledCandidate, TradeOff } from '@mai/autopilot';
import type {
  Footprint,
  LoadConfig,
  LoadSpeed,
  PoolName,
  Resources,
  SelectionPolicy,
  Shortfall,
} from '@mai/memory-ledger';
import { chargeLoad, deviceKeyOf, LIMIT, measurePools, worstShortfall } from '@mai/memory-ledger';
import type { Candidate, PoolOutcome, Rejection, SelectionInput } from '@mai/selector';
import { NO_REQUIREMENT, selectModel } from '@mai/selector';

/** Whether a model with a load configuration fits this machine now. */
export interface ModelFit {
  /** Null where the model's memory is not known. */
  readonly footprint: Footprint | null;
  /** Why the model cannot be loaded; null where it fits. */
  readonly rejection: Rejection | null;
  /** Every pool of the machine before and after the load; unchanged where the model does not fit. */
  readonly pools: readonly PoolOutcome[];
}

/** A load configuration that fits where the configured one does not. */
export interface CheaperLoad {
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint;
  /** The trade-offs of this load configuration against the configured one. */
  readonly tradeOffs: readonly TradeOff[];
}

/** Speed and quality of a load; null where they are not known. */
interface JudgedLoad {
  readonly speed: LoadSpeed | null;
  readonly quality: number | null;
}

/**
 * Judges the first load option of a candidate, by a decision with no other candidate. The decision may unload
 * residents that are not pinned, busy or foreign.
 */
export function fitOf(candidate: Candidate, input: SelectionInput): ModelFit {
  const loadOptions = candidate.loadOptions.slice(0, 1);
  const { rejected, pools } = selectModel({
    ...input,
    candidates: [{ ...candidate, loadOptions }],
  });
  return {
    footprint: loadOptions[0]?.footprint ?? null,
    rejection: rejected[0]?.rejection ?? null,
    pools,
  };
}

/**
 * The first load option of a candidate that fits, and the pools after that load. A decision about this candidate
 * alone chooses the same load option. Null where no load option fits.
 */
export function cheaperFitOf(
  candidate: AssembledCandidate,
  input: SelectionInput,
): (CheaperLoad & JudgedLoad & Pick<ModelFit, 'pools'>) | null {
  const { chosen, pools } = selectModel({ ...input, candidates: [candidate] });
  const option = candidate.loadOptions[chosen?.optionIndex ?? -1];
  if (option === undefined || option.footprint === null) return null;
  const { loadConfig, footprint, tradeOffs, speed, quality } = option;
  return { loadConfig, footprint, tradeOffs, pools, speed, quality };
}

/** Judges whether a footprint fits beside all residents, without unloading any. */
export function fitBeside(
  footprint: Footprint,
  resources: Resources,
  policy: SelectionPolicy,
): ModelFit {
  const needed = chargeLoad(footprint, resources, policy.growth);
  const size = chargeLoad(footprint, resources, 'ignore');
  const growthIn = (pool: PoolName): number => (needed.get(pool) ?? 0) - (size.get(pool) ?? 0);
  const measured = measurePools(resources, [], policy);
  const shortfall = worstShortfall(measured, needed, { limit: LIMIT });
  // Without candidates, the decision plans no change, so its pools show the present use.
  const { pools } = selectModel({ ...UNDECIDED, resources, policy });
  return {
    footprint,
    rejection: shortfall === null ? null : rejectionOf(shortfall, growthIn(shortfall.pool)),
    pools:
      shortfall === null
        ? pools.map((pool) => ({
            ...afterLoad(pool, needed.get(pool.pool) ?? 0),
            growthBytes: growthIn(pool.pool),
          }))
        : pools,
  };
}

const UNDECIDED = {
  candidates: [],
  residents: [],
  requirement: NO_REQUIREMENT,
} as const;

function afterLoad(pool: PoolOutcome, bytes: number): PoolOutcome {
  return {
    ...pool,
    useAfterBytes: pool.useAfterBytes + bytes,
    headroomBytes: pool.headroomBytes - bytes,
  };
}

function rejectionOf({ pool, ...shortfall }: Shortfall, growthBytes: number): Rejection {
  const figures = { ...shortfall, growthBytes };
  const deviceKey = deviceKeyOf(pool);
  return deviceKey === null
    ? { code: 'INSUFFICIENT_RAM', ...figures }
    : { code: 'INSUFFICIENT_VRAM', deviceKey, ...figures };
}
