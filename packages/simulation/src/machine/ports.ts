import { NO_ESTIMATE, type AutopilotPorts, type CatalogReading } from '@mai/autopilot';
import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { loadOptionIndexOf } from './load-configs.js';
import type { SimulatedMachine } from './simulated-machine.js';
import { loadOptionsOf } from './simulated-model.js';

/** The ports through which an autopilot sees and changes a simulated machine. */
export function portsOf(
  machine: SimulatedMachine,
  {
    processesKnown,
    chain = null,
  }: {
    readonly processesKnown: boolean;
    /** Model keys of the fallback chain. Null: every model, in their order. */
    readonly chain?: readonly string[] | null;
  },
): AutopilotPorts {
  const { models, policy } = machine;
  const reading = (keys: readonly string[]): CatalogReading => ({
    chain: keys.flatMap((key) =>
      models.filter(({ profile }) => profile.modelKey === key).map(({ profile }) => profile),
    ),
    policy,
    variants: {},
    capability: null,
    whyEmpty: null,
  });
  const catalog = reading(chain ?? models.map(({ profile }) => profile.modelKey));
  // The autopilot compares readings by identity, so each model has one reading.
  const ofModel = new Map(
    models.map(({ profile: { modelKey } }) => [modelKey, reading([modelKey])]),
  );
  const unknown = reading([]);
  return {
    runtime: {
      listResidents: async () => Promise.resolve(machine.list()),
      load: (request) => machine.load(request),
      unload: async (instanceIdentifier) => {
        await Promise.resolve();
        machine.unload(instanceIdentifier);
      },
    },
    monitor: {
      snapshot: () => Promise.resolve(machine.resources()),
      // RAM is not polled between rounds. Memory changes only at the start of a row. This is usually a full
      // second, and a round runs at every full second.
      readRam: null,
      settled: () => Promise.resolve(machine.resources()),
    },
    survey: { survey: () => Promise.reject(new Error('A simulated machine is local.')) },
    estimator: {
      estimate: ({ modelKey, loadConfig }) =>
        Promise.resolve({
          ...NO_ESTIMATE,
          footprint: footprintOfLoad(machine, modelKey, loadConfig),
          qualityFor: () => qualityOfLoad(machine, modelKey, loadConfig),
        }),
    },
    catalog: {
      read: ({ modelKey = null }) =>
        Promise.resolve(modelKey === null ? catalog : (ofModel.get(modelKey) ?? unknown)),
    },
    engines: processesKnown
      ? { anonymousBytes: () => Promise.resolve(processesOf(machine)) }
      : null,
    clock: machine.clock,
    runtimeIsLocal: true,
  };
}

/** Anonymous RAM of each instance, as the OS would report it for the engine's process. */
function processesOf(machine: SimulatedMachine): ReadonlyMap<string, number> {
  return new Map(
    [...machine.instances.values()].map(({ instanceIdentifier, footprint, grownBytes }) => [
      instanceIdentifier,
      footprint.ram.anonymousBytes + grownBytes,
    ]),
  );
}

/** The quality of a load of a model of the chain; null for other models. */
function qualityOfLoad(
  machine: SimulatedMachine,
  modelKey: string,
  loadConfig: LoadConfig,
): number | null {
  const model = machine.models.find((one) => one.profile.modelKey === modelKey);
  if (model === undefined) return null;
  const index = loadOptionIndexOf(model, loadConfig, machine.hasDedicatedGpu);
  return loadOptionsOf(model)[index]?.quality ?? null;
}

/** The footprint of a load of a model of the chain, or of an instance that a person loaded. */
function footprintOfLoad(
  machine: SimulatedMachine,
  modelKey: string,
  loadConfig: LoadConfig,
): Footprint | null {
  const model = machine.models.find((one) => one.profile.modelKey === modelKey);
  if (model !== undefined) {
    const index = loadOptionIndexOf(model, loadConfig, machine.hasDedicatedGpu);
    const loadOption = loadOptionsOf(model)[index];
    if (loadOption !== undefined) return machine.footprintOf(modelKey, loadOption);
  }
  const instances = [...machine.instances.values()];
  const foreign = instances.find((one) => one.model === null && one.modelKey === modelKey);
  return foreign?.footprint ?? null;
}
