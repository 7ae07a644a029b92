import { createAutopilot, type Autopilot, type AutopilotTimings } from '@mai/autopilot';
import {
  addCharges,
  fits,
  LIMIT,
  totalBytesOf,
  type Pool,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { SimulationClock } from '../clock/simulation-clock.js';
import { portsOf } from './ports.js';
import { createRandom } from '../random.js';
import type { TraceRow } from '../trace/trace.js';
import type { SimulatedInstance } from './simulated-instance.js';
import { SimulatedMachine } from './simulated-machine.js';
import type { SimulatedModel } from './simulated-model.js';
import { chargeOf } from './simulated-resources.js';

/** One machine of several under a shared clock, with an autopilot that has not started. */
export interface SimulatedHost {
  readonly autopilot: Autopilot;
  /** The models that are loaded by the autopilot and ready. */
  residents(): readonly SimulatedHostResident[];
  readonly pools: readonly Pool[];
  /** Whether LM Studio is off. */
  readonly down: boolean;
  /**
   * Whether a model fits within the limits beside the residents, or once the residents are unloaded that `isIdle`
   * holds for.
   */
  fitOf(
    modelKey: string,
    isIdle: (instanceIdentifier: string) => boolean,
  ): 'now' | 'after-eviction' | 'no';
}

/** A model that the autopilot has loaded. */
export interface SimulatedHostResident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly footprintBytes: number;
}

export interface SimulatedHostOptions {
  readonly clock: SimulationClock;
  /** As for `simulate`. The requests of the rows are not used: requests come through `autopilot.acquire`. */
  readonly trace: readonly TraceRow[];
  /** Every model that can be loaded. */
  readonly models: readonly SimulatedModel[];
  /** Model keys of the fallback chain. The other models are loaded only for requests that name them. */
  readonly chain: readonly string[];
  readonly limits: SelectionPolicy;
  /** Read each time they are needed, so a getter may change them while the autopilot runs. */
  readonly timings?: Partial<AutopilotTimings>;
  /** Seed of the autopilot's jitter. */
  readonly seed: number;
  /** Called after a load, and after each unload. */
  readonly onResidents?: (change: 'loaded' | 'unloaded') => void;
  /** Called for an instance that is unloaded, or lost because LM Studio went down. */
  readonly onGone?: (instanceIdentifier: string) => void;
}

/** Creates a machine and its autopilot. The same options always give the same machine. */
export function createSimulatedHost(options: SimulatedHostOptions): SimulatedHost {
  const { clock, models, limits, seed, onResidents, onGone } = options;
  const machine = new SimulatedMachine({
    clock,
    trace: options.trace.map((row) => ({ ...row, requests: NO_REQUESTS })),
    models,
    policy: limits,
    seed,
    growth: {},
  });
  const gone = ({ instanceIdentifier }: SimulatedInstance): void => {
    onGone?.(instanceIdentifier);
    onResidents?.('unloaded');
  };
  machine.observe({
    onLoaded: () => onResidents?.('loaded'),
    onUnloaded: gone,
    onLost: (lost) => {
      lost.forEach(gone);
    },
    onRequest: () => undefined,
    onQuery: () => undefined,
  });
  const autopilot = createAutopilot({
    ...portsOf(machine, { processesKnown: true, chain: options.chain }),
    random: createRandom(seed),
    isProcessAlive: () => true,
    get timings() {
      return options.timings ?? NO_TIMINGS;
    },
  });
  return {
    autopilot,
    residents: () => ready(machine).map(describe),
    get pools() {
      return machine.pools;
    },
    get down() {
      return machine.down;
    },
    fitOf: (modelKey, isIdle) => fitOf(machine, modelKey, isIdle),
  };
}

const NO_TIMINGS = {};
const NO_REQUESTS = { ratePerMinute: 0, meanSeconds: 0 };

function ready(machine: SimulatedMachine): SimulatedInstance[] {
  return [...machine.instances.values()].filter((one) => one.ready && one.model !== null);
}

function describe({
  instanceIdentifier,
  modelKey,
  footprint,
}: SimulatedInstance): SimulatedHostResident {
  return { instanceIdentifier, modelKey, footprintBytes: totalBytesOf(footprint) };
}

function fitOf(
  machine: SimulatedMachine,
  modelKey: string,
  isIdle: (instanceIdentifier: string) => boolean,
): 'now' | 'after-eviction' | 'no' {
  const model = machine.models.find((one) => one.profile.modelKey === modelKey);
  if (model === undefined) return 'no';
  const needed = machine.chargeOf(model);
  const { pools } = machine;
  if (fits(pools, needed, { limit: LIMIT })) return 'now';
  const resources = machine.resources();
  const freed = addCharges(
    ready(machine)
      .filter((one) => isIdle(one.instanceIdentifier))
      .map((one) => chargeOf(one.footprint, resources)),
  );
  return fits(pools, needed, { limit: LIMIT, freed }) ? 'after-eviction' : 'no';
}
