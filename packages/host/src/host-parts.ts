import type { HeaderCache } from '@mai/memory-estimator';
import type { JudgeQuality } from '@mai/model-config';
import type * as estimation from './footprints/estimation.js';
import type { HostContext } from './host-options.js';
import type { MachineMonitor } from './machine/open-monitor.js';
import type { RuntimeConnection } from './runtime/connect-runtime.js';
import type { SpeedLearner } from './learning/speed-learner.js';
import type { Speeds } from './speeds/speeds.js';

/** The functions that need the memory estimator, and the caches that they share. */
export type Estimation = typeof estimation & {
  readonly headers: HeaderCache;
  readonly judgeQuality: JudgeQuality;
};

/** The parts that all calls of a host share. Each part is opened on first use. */
export interface HostParts extends AsyncDisposable {
  readonly context: HostContext;
  readonly runtime: RuntimeConnection;
  readonly monitor: MachineMonitor;
  readonly estimation: () => Promise<Estimation>;
  /** The speeds of models on a machine, with what was learned by all calls of this host. Default: this machine. */
  readonly speeds: (machine?: string) => Promise<Speeds>;
  readonly learner: () => Promise<SpeedLearner>;
}
