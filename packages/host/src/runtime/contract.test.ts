// Each package declares ports for the functions that it needs from others. This file does not compile when
// a producer loses the shape that its consumer declares.
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
import {
  LlamaRuntimeError,
  type LlamaRuntime,
  type ResidentInstance as LlamaResident,
} from '@mai/llama-runtime';
import type { FootprintEstimate } from '@mai/memory-estimator';
import type { DownloadedModel as MergedModel } from '@mai/model-config';
import type { ResourceMonitor, ResourceSnapshot } from '@mai/resource-monitor';
import type { SimulatedModel as SimulationModel, TraceRow } from '@mai/simulation';
import type { CatalogProfile } from '../catalog/catalog.js';
import type { SimulatedHardware } from '../simulation/open-simulated-models.js';
import type { SimulatedModel } from '../simulation/simulated-models.js';
import { composePorts } from './compose-ports.js';
import type { EmbeddedClient, RuntimeClient } from './runtime-client.js';
import { isRuntimeError } from './runtime-error.js';

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
  // lmstudio-adapter, llama-runtime -> host
  Satisfies<LMStudioClient, RuntimeClient>,
  Satisfies<LlamaRuntime, EmbeddedClient>,
  Satisfies<LlamaRuntime, RuntimePort>,
  Satisfies<LlamaResident, ResidentInstance>,
  // lmstudio-adapter -> model-config
  Satisfies<DownloadedModel, MergedModel>,
  // model-config -> selector, autopilot. The port of the catalog adds the stamp of the file.
  Satisfies<CatalogProfile, Omit<CandidateProfile, 'fileStamp'>>,
  // host -> simulation, and back
  Satisfies<SimulatedModel, SimulationModel>,
  Satisfies<TraceRow, SimulatedHardware>,
];

test('composePorts returns every port that the autopilot needs, and no other', () => {
  const ports: AutopilotPorts = composePorts({
    link: {
      kind: 'off',
      runtime: 'lmstudio',
      reason: new LMStudioError('UNREACHABLE', 'off'),
    },
    clock: systemClock,
    contexts: { record: () => Promise.resolve() },
    monitor: { snapshot: () => Promise.reject(new Error('unused')), readRam: null, settled: null },
    catalog: () => ({ read: () => Promise.reject(new Error('unused')) }),
    estimator: () => ({ estimate: () => Promise.reject(new Error('unused')) }),
  });
  expect(Object.keys(ports).sort()).toEqual([
    'catalog',
    'clock',
    'engines',
    'estimator',
    'monitor',
    'runtime',
    'runtimeIsLocal',
    'survey',
  ]);
});

test('errors of both runtimes are recognised without loading the embedded engine', () => {
  expect(isRuntimeError(new LMStudioError('UNREACHABLE', 'off'))).toBe(true);
  expect(isRuntimeError(new LlamaRuntimeError('ENGINE_CRASHED', 'gone'))).toBe(true);
  expect(isRuntimeError(new Error('other'))).toBe(false);
});
