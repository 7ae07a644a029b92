import type {
  Footprint,
  LoadConfig,
  LoadSpeed,
  ObservedResident,
  PoolName,
  Resources,
} from '@mai/memory-ledger';

/** A pool before and after a plan, in bytes. */
export interface PoolOutcome {
  readonly pool: PoolName;
  readonly totalBytes: number;
  readonly othersBytes: number;
  /** The part of `othersBytes` that yields keep free. Absent: 0. */
  readonly yieldedBytes?: number;
  readonly useBeforeBytes: number;
  readonly useAfterBytes: number;
  readonly headroomBytes: number;
  readonly limitBytes: number;
  readonly hardLimitBytes: number;
  readonly growthBytes: number;
}

/** Why a candidate was not chosen. The words port knows the other fields. */
export interface Rejection {
  readonly code: string;
}

/** A trade-off of a cheaper load. The words port knows the other fields. */
export interface TradeOff {
  readonly kind: string;
}

/** Keeps a model from being unloaded. */
export interface Pin {
  readonly target: string;
  readonly reason: 'pin' | 'load';
  readonly sinceMs: number;
}

/** Memory that is kept free for another program. */
export interface MemoryYield {
  readonly name: string;
  readonly bytes: number;
  readonly pools: 'ram' | 'gpu' | 'all';
  readonly sinceMs: number;
  readonly untilMs: number | null;
  readonly processId: number | null;
}

/** The part of a decision that the page shows. */
export interface MachineSelection {
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  readonly direction: 'up' | 'down' | null;
  readonly chosen: {
    readonly candidateIndex: number;
    readonly modelKey: string;
    readonly optionIndex: number;
    readonly loadOption: {
      readonly loadConfig: LoadConfig;
      readonly speed: LoadSpeed | null;
      readonly quality: number | null;
    };
    readonly footprint: Footprint | null;
  } | null;
  readonly plan: {
    readonly steps: readonly (
      | { readonly action: 'unload'; readonly instanceIdentifier: string }
      | { readonly action: 'load'; readonly modelKey: string }
    )[];
  };
  readonly pools: readonly PoolOutcome[];
  readonly headroomBytes: number | null;
  readonly rejected: readonly {
    readonly candidateIndex: number;
    readonly modelKey: string;
    readonly rejection: Rejection;
  }[];
}

/** A decision of the log and its outcome. */
export interface DecisionEpisode {
  readonly record: {
    readonly sequence: number;
    readonly atMs: number;
    readonly input: { readonly resources: Resources };
    readonly selection: MachineSelection;
    readonly hysteresis: { readonly verdict: { readonly act: boolean; readonly reason: string } };
  };
  readonly outcome: {
    readonly outcome: string;
    readonly tookMs: number;
    readonly failures: readonly { readonly modelKey: string; readonly message: string }[];
  } | null;
  /** Null for the last decision. */
  readonly untilMs: number | null;
}

/** A resident as a decision saw it. */
export interface ObservedModel extends ObservedResident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
}

/** An event of the autopilot. `atMs` is in epoch milliseconds. */
export type MachineEvent = { readonly atMs: number } & (
  | {
      readonly type: 'decided';
      /**
       * Identifies the record of the log. A decision that repeats an earlier one has its identifier, until it is written again. Null
       * without a log.
       */
      readonly id: string | null;
      readonly input: {
        readonly resources: Resources;
        readonly residents: readonly ObservedModel[];
      };
      readonly selection: MachineSelection;
      readonly verdict: { readonly act: boolean; readonly reason: string };
    }
  | { readonly type: 'switch-started'; readonly reason: string }
  | { readonly type: 'switch-step'; readonly step: SwitchStep }
  | {
      readonly type: 'switch-finished';
      readonly reason: string;
      readonly tookMs: number;
      readonly report: {
        readonly outcome: string;
        readonly loaded: readonly { readonly instanceIdentifier: string }[];
        readonly unloaded: readonly { readonly instanceIdentifier: string }[];
        readonly failures: readonly {
          readonly modelKey: string;
          readonly message: string;
          /** Whether it was tried with a longer context than needed, and then again. Default false. */
          readonly hadRoom?: boolean;
        }[];
      };
    }
  | {
      readonly type: 'journal-changed';
      readonly journal: { readonly pins: readonly Pin[]; readonly yields: readonly MemoryYield[] };
    }
  | { readonly type: 'load-interrupted'; readonly modelKey: string }
  | { readonly type: 'put-off'; readonly untilMs: number; readonly busy: readonly string[] }
  | { readonly type: 'emergency'; readonly pools: readonly string[] }
  | { readonly type: 'breaker-opened'; readonly untilMs: number }
  | {
      readonly type: 'duplicates';
      readonly modelKey: string;
      readonly instanceIdentifiers: readonly string[];
    }
  | { readonly type: 'fault'; readonly error: unknown; readonly retryAtMs: number }
  | { readonly type: 'catalog-rejected'; readonly error: unknown }
  | {
      readonly type: 'left-loaded';
      readonly instanceIdentifier: string;
      readonly why: 'busy' | 'pinned';
    }
  | {
      readonly type: 'resident-ended';
      readonly instanceIdentifier: string;
      readonly how: string;
    }
  | {
      readonly type: 'started' | 'recovered' | 'idle' | 'stopped' | 'drain-ended';
    }
);

/** A step of a switch. */
export type SwitchStep =
  | { readonly type: 'observing' | 'settling' }
  | {
      readonly type: 'draining' | 'unloading' | 'unloaded' | 'rolling-back';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
    }
  | {
      readonly type: 'loading';
      readonly modelKey: string;
      readonly instanceIdentifier: string;
      readonly progressRatio: number;
    }
  | {
      readonly type: 'loaded';
      readonly instance: { readonly instanceIdentifier: string; readonly modelKey: string };
      readonly tookMs: number;
    }
  | {
      readonly type: 'load-failed';
      readonly failure: { readonly modelKey: string; readonly message: string };
    };
