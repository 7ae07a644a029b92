import type { LoadConfig, Resources } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../../assemble/join-footprints.js';
import type { LoadMismatch, RuntimeInstance } from '../../ports/runtime-port.js';
import type { LoadFailure } from '../../failures/load-failure.js';

/** An event of a run. */
export type RunEvent =
  | { readonly type: 'observing' }
  | { readonly type: 'decided'; readonly input: AssembledInput; readonly selection: Selection }
  | {
      readonly type: 'draining';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      /** How long the drain has waited, and for how long it may wait in all. */
      readonly waitedMs: number;
      readonly deadlineMs: number;
    }
  | {
      readonly type: 'unloading';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      /** The instance was busy, and is unloaded anyway because memory is about to run out. */
      readonly forced: boolean;
    }
  | {
      readonly type: 'unloaded';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      readonly tookMs: number;
    }
  | {
      readonly type: 'loading';
      readonly modelKey: string;
      readonly instanceIdentifier: string;
      readonly loadConfig: LoadConfig;
      /** 0 to 1. */
      readonly progressRatio: number;
    }
  | { readonly type: 'settling' }
  | {
      readonly type: 'loaded';
      readonly instance: RuntimeInstance;
      /** The configuration that was asked for. */
      readonly loadConfig: LoadConfig;
      readonly mismatches: readonly LoadMismatch[];
      /** Memory after it has settled. */
      readonly resources: Resources;
      readonly tookMs: number;
    }
  | { readonly type: 'load-failed'; readonly failure: LoadFailure }
  | {
      readonly type: 'rolling-back';
      readonly modelKey: string;
      readonly instanceIdentifier: string;
    };

/** Receives the events. An error that it throws ends the run. */
export type EmitRunEvent = (event: RunEvent) => void;
