// The packages know nothing of each other: each consumer declares what it needs, and its producers happen
// to satisfy it. These assignments fail to compile when the two drift apart.
import type { Footprint, LoadConfig, Resources, SelectionPolicy } from '@mai/memory-ledger';
import type {
  AutopilotPorts,
  CandidateProfile,
  MonitorPort,
  RuntimeInstance,
  RuntimePort,
} from '@mai/autopilot';
import type {
  DownloadedModel,
  LMStudioClient,
  LoadConfig as AdapterLoadConfig,
  ResidentInstance,
} from '@mai/lmstudio-adapter';
import type {
  Footprint as EstimatedFootprint,
  FootprintEstimate,
  LoadConfig as EstimatorLoadConfig,
} from '@mai/memory-estimator';
import type {
  DownloadedModel as MergedModel,
  LoadConfig as ConfiguredLoadConfig,
  ModelProfile,
  SelectionPolicy as ConfiguredPolicy,
} from '@mai/model-config';
import type { ResourceMonitor, ResourceSnapshot } from '@mai/resource-monitor';
import { composePorts } from './ports.js';

/** Compiles only where every `Producer` is a `Consumer`. */
type Satisfies<Producer extends Consumer, Consumer> = Producer;
/** Compiles only where both have the same fields with the same types. */
type Same<A extends B, B extends C, C = A> = [A, B, C];

export type Contracts = [
  // resource-monitor -> selector, autopilot
  Satisfies<ResourceSnapshot, Resources>,
  Satisfies<ResourceMonitor, MonitorPort>,
  // memory-estimator -> selector
  Satisfies<FootprintEstimate, Footprint>,
  Same<EstimatedFootprint, Footprint>,
  // lmstudio-adapter -> autopilot
  Satisfies<LMStudioClient, RuntimePort>,
  Satisfies<ResidentInstance, RuntimeInstance>,
  // lmstudio-adapter -> model-config
  Satisfies<DownloadedModel, MergedModel>,
  // model-config -> selector, autopilot
  Satisfies<ModelProfile, CandidateProfile>,
  Same<ConfiguredPolicy, SelectionPolicy>,
  // One load configuration everywhere, in both directions.
  Same<AdapterLoadConfig, LoadConfig>,
  Same<EstimatorLoadConfig, LoadConfig>,
  Same<ConfiguredLoadConfig, LoadConfig>,
];

test('the composed ports are all that the autopilot asks for', () => {
  const ports: AutopilotPorts = composePorts({
    link: { kind: 'off', reason: new Error('off') as never },
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
