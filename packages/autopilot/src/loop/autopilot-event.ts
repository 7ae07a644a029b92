import type { Selection } from '@mai/selector';
import type { Verdict } from '../timing/hysteresis/hysteresis-state.js';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { JournalState } from '../journal/journal-state.js';
import type { RunEvent } from '../switch/run-event.js';
import type { RunReport } from '../switch/run-report.js';

/** Why a switch was begun: the reducer's reasons, and those that come from people. */
export type SwitchReason = Verdict['reason'] | 'REQUESTED' | 'YIELD';

/** What happens while the autopilot runs, in order. `atMs` is the epoch. */
export type AutopilotEvent = { readonly atMs: number } & (
  | { readonly type: 'started' }
  /** One round of the loop, whether anything is done about it or not. */
  | {
      readonly type: 'decided';
      readonly input: AssembledInput;
      readonly selection: Selection;
      readonly verdict: Verdict;
      /** When memory will have run out if others go on as they do; null when none of that is in sight. */
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
  /** A load was broken off because memory was about to run out while it was under way. */
  | {
      readonly type: 'load-interrupted';
      readonly modelKey: string;
      readonly pools: readonly string[];
    }
  | { readonly type: 'put-off'; readonly untilMs: number; readonly busy: readonly string[] }
  | { readonly type: 'emergency'; readonly pools: readonly string[] }
  | { readonly type: 'breaker-opened'; readonly untilMs: number }
  | {
      readonly type: 'duplicates';
      readonly modelKey: string;
      readonly instanceIdentifiers: readonly string[];
    }
  /** The runtime, the monitor or another port failed; the loop goes on as soon as it can. */
  | { readonly type: 'fault'; readonly error: unknown; readonly retryAtMs: number }
  | { readonly type: 'recovered' }
  /** The catalog could not be read; the last reading stays in force. */
  | { readonly type: 'catalog-rejected'; readonly error: unknown }
  /** Pins or yields were changed by others and are in force now. */
  | { readonly type: 'journal-changed'; readonly journal: JournalState }
  /** Nothing is loaded and nothing will be until somebody asks: its idle time had run out. */
  | { readonly type: 'idle' }
  /** Left loaded at the stop, because it was busy or pinned. */
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
