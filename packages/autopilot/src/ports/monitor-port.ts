import type { Resources } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** Reads this machine. An unknown reading is null, never zero. */
export interface MonitorPort {
  /** One reading, taken now. */
  snapshot(options: CallOptions): Promise<Resources>;
  /**
   * Reads only RAM, in less than a millisecond, for polls between two rounds. Null when the machine cannot do
   * that. The next round then notices use over a limit.
   */
  readonly readRam: (() => Promise<{ readonly availableBytes: number | null }>) | null;
  /**
   * Waits until memory has stopped changing, and resolves to the last reading. Drivers and the OS show a load
   * or an unload up to 1.5 s late. With null the autopilot compares snapshots itself.
   */
  readonly settled: ((options: CallOptions) => Promise<Resources>) | null;
}

/** Asks a runtime on another machine about its hardware. Used in place of the monitor. */
export interface SurveyPort {
  survey(options: CallOptions & { readonly deviceIdentifier: string | null }): Promise<Survey>;
}

/** Totals of a machine; null where unknown. */
export interface Survey {
  readonly ramTotalBytes: number;
  /** CPU and GPU share one pool. */
  readonly unified: boolean;
  readonly gpus: readonly {
    readonly deviceKey: string;
    readonly name: string | null;
    readonly memory: 'dedicated' | 'shared';
    readonly totalBytes: number | null;
  }[];
}
