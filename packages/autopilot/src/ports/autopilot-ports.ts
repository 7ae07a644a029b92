import type { CatalogPort } from './catalog-port.js';
import type { Clock } from './clock.js';
import type { EstimatorPort } from './estimator-port.js';
import type { MonitorPort, SurveyPort } from './monitor-port.js';
import type { RuntimePort } from './runtime-port.js';

/** Everything the autopilot touches in the world. */
export interface AutopilotPorts {
  readonly runtime: RuntimePort;
  readonly monitor: MonitorPort;
  /** Asked in place of the monitor when the runtime is on another machine. */
  readonly survey: SurveyPort;
  readonly estimator: EstimatorPort;
  readonly catalog: CatalogPort;
  readonly clock: Clock;
  /** Whether the runtime runs on the machine that `monitor` reads. */
  readonly runtimeIsLocal: boolean;
}
