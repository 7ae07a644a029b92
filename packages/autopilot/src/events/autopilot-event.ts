import type { PoolName } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { Verdict } from '../timing/hysteresis-state.js';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { LeaseTarget } from '../request/lease-request.js';
import type { JournalState } from '../journal/journal-state.js';
import type { EndedResident } from '../ports/runtime-port.js';
import type { RunEvent } from '../switch/report/run-event.js';
import type { RunReport } from '../switch/report/run-report.js';

/** Why a switch was started: a reason of the verdict, a caller that waits for a lease, or a yield. */
export type SwitchReason = Verdict['reason'] | 'REQUESTED' | 'YIELD';

/** An event of a running autopilot. `atMs` is in epoch milliseconds. */
export type AutopilotEvent = { readonly atMs: number } & (
  | { readonly type: 'started' }
  /** The decision of one round of the loop, whether it is carried out or not. */
  | {
      readonly type: 'decided';
      /** See `AutopilotState.decision`. */
      readonly id: string | null;
      /** See `AutopilotState.decision`. */
      readonly target: LeaseTarget | null;
      readonly input: AssembledInput;
      readonly selection: Selection;
      readonly verdict: Verdict;
      /** Forecast time until a pool reaches its hard limit; null without a forecast. */
      readonly timeToHardLimitMs: number | null;
    }
  | { readonly type: 'switch-started'; readonly reason: SwitchReason }
  /** A step of the switch that is under way. */
  | { readonly type: 'switch-step'; readonly step: Exclude<RunEvent, { type: 'decided' }> }
  | {
      readonly type: 'switch-finished';
      readonly reason: SwitchReason;
      readonly report: RunReport;
      readonly tookMs: number;
    }
  /** A load was aborted because a pool went over its hard limit. */
  | {
      readonly type: 'load-interrupted';
      readonly modelKey: string;
      readonly pools: readonly PoolName[];
    }
  /** A switch is tried again at `untilMs`, or as soon as the instances in `busy` are idle. */
  | { readonly type: 'put-off'; readonly untilMs: number; readonly busy: readonly string[] }
  /** The drain of these instances has ended. Those that are still loaded get leases again. */
  | { readonly type: 'drain-ended'; readonly instanceIdentifiers: readonly string[] }
  /** Pools went over their hard limit during a switch. */
  | { readonly type: 'emergency'; readonly pools: readonly PoolName[] }
  /** After many failures no load is tried until `untilMs`. */
  | { readonly type: 'breaker-opened'; readonly untilMs: number }
  /** A model is loaded more than once. */
  | {
      readonly type: 'duplicates';
      readonly modelKey: string;
      readonly instanceIdentifiers: readonly string[];
    }
  /** The runtime, the monitor or another port failed; the loop tries again at `retryAtMs`. */
  | { readonly type: 'fault'; readonly error: unknown; readonly retryAtMs: number }
  | { readonly type: 'recovered' }
  /** The catalog could not be read; the last reading stays in force. */
  | { readonly type: 'catalog-rejected'; readonly error: unknown }
  /** Another process changed pins or yields, or a yield has ended; the change is in force now. */
  | { readonly type: 'journal-changed'; readonly journal: JournalState }
  /** A resident's engine has crashed, or was ended from outside. The next round starts at once. */
  | ({ readonly type: 'resident-ended' } & EndedResident)
  /** The idle time of the last model has expired; the next `acquire` loads again. */
  | { readonly type: 'idle' }
  /** An instance stays loaded at the stop because it is busy or pinned. */
  | {
      readonly type: 'left-loaded';
      readonly instanceIdentifier: string;
      readonly why: 'busy' | 'pinned';
    }
  | { readonly type: 'stopped' }
);

/** An event without its time. */
export type PublishedEvent = AutopilotEvent extends infer E
  ? E extends AutopilotEvent
    ? Omit<E, 'atMs'>
    : never
  : never;
