import type { Capability, Tier } from '@mai/memory-ledger';
import type { KnownHost } from '../state/known-host.js';

/** Everything that a placement depends on. Plain JSON: the same input always gives the same placement. */
export interface PlacementInput {
  /** The hosts that the gateway knows, itself included, in any order. */
  readonly hosts: readonly KnownHost[];
  /** Name of the gateway's own host. */
  readonly ownHost: string;
  readonly request: PlacementRequest;
  /** Requests that this gateway has sent and whose answers have not ended, or not before the newest heartbeats. */
  readonly recentSends: readonly RecentSend[];
  /** How long answers took at models whose speed is not known. Absent: nothing was seen. */
  readonly seenTimes?: readonly SeenTime[] | undefined;
  readonly policy: PlacementPolicy;
}

/** A request, reduced to the properties on which its placement depends. Null and empty fields set no condition. */
export interface PlacementRequest {
  /** Capabilities that the model must have. */
  readonly capabilities: readonly Capability[];
  readonly minContextLengthTokens: number | null;
  readonly tiers: readonly Tier[] | null;
  /** Name of the fallback chain, such as `default`; null where the request names a model or a resident. */
  readonly chain: string | null;
  /** Model keys in order of preference, such as the chain's, or the one model that the request names. Null: any model. */
  readonly modelKeys: readonly string[] | null;
  /** Only residents with this identifier. */
  readonly instanceIdentifier: string | null;
  /** Residents that have just failed this request. They are not tried again. */
  readonly failed: readonly FailedResident[];
  /** Estimated tokens of the prompt; null where they are not known. */
  readonly promptTokens: number | null;
  /** Hash of the conversation's start; null where the request belongs to no conversation. */
  readonly prefixKey: string | null;
}

/** A resident that failed a request. */
export interface FailedResident {
  readonly host: string;
  readonly instanceIdentifier: string;
}

/**
 * A request that this gateway sent to a host. It counts as running there until a heartbeat arrives that is newer than
 * the send, because then the heartbeat counts it. Once its answer has ended, it is taken off what that heartbeat counts, until the
 * next heartbeat comes.
 */
export interface RecentSend {
  readonly host: string;
  /** Null where the host chose the model itself. */
  readonly modelKey: string | null;
  /** Null where no lease has been granted yet. */
  readonly instanceIdentifier: string | null;
  /** Epoch and sequence of the newest heartbeat of the host at the time of the send; null where there was none. */
  readonly heartbeat: { readonly epoch: string; readonly sequence: number } | null;
  /** Whether the host still loads the model for this request. Such a send counts until the load has ended. */
  readonly loading: boolean;
  /** Whether the answer has ended since the host's newest heartbeat, which still counts the request. */
  readonly ended: boolean;
  /** Milliseconds since the send, by the gateway's monotonic clock. */
  readonly agoMs: number;
}

/** How long whole answers of a model took at a host that does not tell the model's speed, as this gateway saw it. */
export interface SeenTime {
  readonly host: string;
  readonly modelKey: string;
  /** Time of the answers as a share of the time that they take at the assumed speeds. 1: as assumed. Greater than 0. */
  readonly timeRatio: number;
  /** Number of answers that were seen. */
  readonly answers: number;
}

/** Conditions and prices of a placement. */
export interface PlacementPolicy {
  /**
   * Names of the chains whose requests may leave this machine. Null: every request may leave. With a list, requests
   * without a chain stay.
   */
  readonly chainsThatMayLeave: readonly string[] | null;
  /** Labels that another host must carry. Empty: every host may serve. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Generated tokens per second that a model should reach. Models rank behind all others where even the upper end of their speed is
   * lower, as in a selection on one machine. 0: no condition.
   */
  readonly minTokensPerSecond: number;
  /** Maximum number of alternatives of a placement. The own host is added to them where it is not among them. */
  readonly alternativesMax: number;
  /**
   * Price of each place further back in the chain: a smaller model is taken where its delay is shorter by this much.
   * Milliseconds.
   */
  readonly smallerPenaltyMs: number;
  /** Price of a load in addition to its time, because it takes memory that others may need soon. Milliseconds. */
  readonly loadPenaltyMs: number;
  /** Further price of a load that evicts, because the evicted model may be wanted again. Milliseconds. */
  readonly evictionPenaltyMs: number;
  /** Time that another host adds to each answer, by its gateway and the network. Milliseconds. */
  readonly hopMs: number;
  /** Delays that fall into the same interval of this width are equal. Milliseconds. */
  readonly tieMs: number;
  /** Share of a prompt that need not be read again where the conversation's KV cache is. 0 to 1. */
  readonly warmRatio: number;
  /**
   * How much one more request slows the requests that run beside it: with `n` requests, each runs at
   * `1 / (1 + ratio * (n - 1))` of its speed. 0: not at all; 1: they share the speed of one.
   */
  readonly slowdownRatio: number;
  readonly assumed: AssumedFigures;
}

/** Figures that stand in for figures that are not known. */
export interface AssumedFigures {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /**
   * Speeds of a model until answers were seen (`SeenTime`): those of a usual model. With speeds that are too low, each request
   * beside others would seem to wait long, and a load at another host would seem to be worth its time.
   */
  readonly decodeTokensPerSecond: number;
  readonly promptTokensPerSecond: number;
  /** Speed at which a load reads a model whose load time is not known. */
  readonly loadBytesPerSecond: number;
  /** Time of a load without the time of reading the files. */
  readonly loadStartMs: number;
  /** Load time of a model whose size is not known either. */
  readonly loadMs: number;
  /** Requests at each resident of a host that does not report its load. */
  readonly requests: number;
  /** Requests that a model answers at the same time once LM Studio has loaded it. For other runtimes, 1 is taken. */
  readonly parallelOfLmStudio: number;
}

/**
 * The default policy. The prices are chosen, not measured: they order cases whose answer is clear (a wait of 3 s beats
 * a load of 20 s; a large model within half a minute beats a smaller one at once).
 */
export const DEFAULT_PLACEMENT_POLICY: PlacementPolicy = {
  chainsThatMayLeave: null,
  labels: {},
  minTokensPerSecond: 6,
  alternativesMax: 16,
  smallerPenaltyMs: 30_000,
  loadPenaltyMs: 2_000,
  evictionPenaltyMs: 8_000,
  hopMs: 50,
  tieMs: 250,
  warmRatio: 0.8,
  slowdownRatio: 0.5,
  assumed: {
    promptTokens: 1_000,
    answerTokens: 300,
    decodeTokensPerSecond: 20,
    promptTokensPerSecond: 400,
    loadBytesPerSecond: 400_000_000,
    loadStartMs: 3_000,
    loadMs: 60_000,
    requests: 1,
    parallelOfLmStudio: 4,
  },
};
