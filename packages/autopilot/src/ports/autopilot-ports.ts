import type { CatalogPort } from './catalog-port.js';
import type { Clock } from './clock.js';
import type { EnginePort } from './engine-port.js';
import type { EstimatorPort } from './estimator-port.js';
import type { MonitorPort, SurveyPort } from './monitor-port.js';
import type { RuntimePort } from './runtime-port.js';

/** The ports through which the autopilot reaches everything outside of this package. */
export interface AutopilotPorts {
  readonly runtime: RuntimePort;
  readonly monitor: MonitorPort;
  /** Used in place of the monitor when the runtime is on another machine. */
  readonly survey: SurveyPort;
  readonly estimator: EstimatorPort;
  /** `null` when the processes of the engines are not known. */
  readonly engines: EnginePort | null;
  readonly catalog: CatalogPort;
  readonly clock: Clock;
  /** Whether the runtime runs on the machine that `monitor` reads. */
  readonly runtimeIsLocal: boolean;
}
