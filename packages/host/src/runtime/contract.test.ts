// Each package declares ports for what it needs from others. These lines do not compile where a producer no
// longer has the shape that its consumer declares.
import type { Footprint, Resources } from '@mai/memory-ledger';
import type {
  AutopilotPorts,
  CandidateProfile,
  MonitorPort,
  RuntimeInstance,
  RuntimePort,
} from '@mai/autopilot';
import { systemClock } from '@mai/autopilot';
import type { DownloadedModel, LMStudioClient, ResidentInstance } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { FootprintEstimate } from '@mai/memory-estimator';
import type { DownloadedModel as MergedModel, ModelProfile } from '@mai/model-config';
import type { ResourceMonitor, ResourceSnapshot } from '@mai/resource-monitor';
import type { SimulatedModel as SimulationModel, TraceRow } from '@mai/simulation';
import type { SimulatedHardware } from '../simulation/open-simulated-models.js';
import type { SimulatedModel } from '../simulation/simulated-models.js';
import { composePorts } from './compose-ports.js';

/** Compiles only where every `Producer` is a `Consumer`. */
type Satisfies<Producer extends Consumer, Consumer> = Producer;

export type Contracts = [
  // resource-monitor -> selector, autopilot
  Satisfies<ResourceSnapshot, Resources>,
  Satisfies<ResourceMonitor, MonitorPort>,
  // memory-estimator -> selector
  Satisfies<FootprintEstimate, Footprint>,
  // lmstudio-adapter -> autopilot
  Satisfies<LMStudioClient, RuntimePort>,
  Satisfies<ResidentInstance, RuntimeInstance>,
  // lmstudio-adapter -> model-config
  Satisfies<DownloadedModel, MergedModel>,
  // model-config -> selector, autopilot
  Satisfies<ModelProfile, CandidateProfile>,
  // host -> simulation, and back
  Satisfies<SimulatedModel, SimulationModel>,
  Satisfies<TraceRow, SimulatedHardware>,
];

test('the composed ports are all that the autopilot asks for', () => {
  const ports: AutopilotPorts = composePorts({
    link: { kind: 'off', reason: new LMStudioError('UNREACHABLE', 'off') },
    clock: systemClock,
    monitor: { snapshot: () => Promise.reject(new Error('unused')), readRam: null, settled: null },
    catalog: { read: () => Promise.reject(new Error('unused')) },
    estimator: () => ({ estimate: () => Promise.reject(new Error('unused')) }),
  });
  expect(Object.keys(ports).sort()).toEqual([
    'catalog',
    'clock',
    'estimator',
    'monitor',
    'runtime',
    'runtimeIsLocal',
    'survey',
  ]);
});
