import type { Resources } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** What this machine has left. A reading that is unknown is null, never zero. */
export interface MonitorPort {
  /** One reading, now. */
  snapshot(options: CallOptions): Promise<Resources>;
  /**
   * RAM alone, in less than a millisecond: for looks between two rounds. Null leaves a limit that is
   * passed to the next round.
   */
  readonly glance: (() => Promise<{ readonly availableBytes: number | null }>) | null;
  /**
   * The first reading after memory has stopped moving: drivers and the OS lag behind a load or an
   * unload by up to 1.5 s. Null leaves it to the autopilot, which then compares readings itself.
   */
  readonly settled: ((options: CallOptions) => Promise<Resources>) | null;
}

/**
 * The hardware of the machine that the runtime runs on, as the runtime reports it: totals only.
 * Used in place of the monitor where local readings say nothing about that machine.
 */
export interface SurveyPort {
  survey(options: CallOptions & { readonly deviceIdentifier: string | null }): Promise<Survey>;
}

/** Totals of a machine; null where it hides one. */
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
