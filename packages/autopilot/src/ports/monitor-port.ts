import type { Resources } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** Reads this machine. An unknown reading is null, never zero. */
export interface MonitorPort {
  /** One reading, taken now. */
  snapshot(options: CallOptions): Promise<Resources>;
  /**
   * Reads RAM alone, in less than a millisecond, for polls between two rounds. Null when the machine can't
   * do that: a limit that is passed is then noticed at the next round.
   */
  readonly readRam: (() => Promise<{ readonly availableBytes: number | null }>) | null;
  /**
   * The first reading after memory has stopped changing: drivers and the OS lag behind a load or an unload
   * by up to 1.5 s. With null the autopilot compares snapshots itself.
   */
  readonly settled: ((options: CallOptions) => Promise<Resources>) | null;
}

/** Asks the runtime about its hardware, in place of the monitor, when it is on another machine. */
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
    readonly name: string;
    readonly memory: 'dedicated' | 'shared';
    readonly totalBytes: number | null;
  }[];
}
