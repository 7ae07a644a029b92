import type { SelectionPolicy } from '@mai/memory-ledger';
import type { AutopilotPorts } from '@mai/autopilot';
import type { SimulatedMachine } from './simulated-machine.js';
import { footprintOf, rungIndexOf, rungsOf, type SimulatedModel } from './simulated-model.js';

/** The ports through which an autopilot sees a simulated machine. */
export function portsOf(
  machine: SimulatedMachine,
  models: readonly SimulatedModel[],
  policy: SelectionPolicy,
): AutopilotPorts {
  const catalog = { chain: models.map((model) => model.profile), policy, variants: {} };
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
      // A row of the trace holds until the next: rounds see every change in time.
      readRam: null,
      settled: () => Promise.resolve(machine.resources()),
    },
    survey: { survey: () => Promise.reject(new Error('A simulated machine is local.')) },
    estimator: {
      estimate: ({ modelKey, loadConfig, resources }) => {
        const model = models.find((one) => one.profile.modelKey === modelKey);
        const index = model === undefined ? -1 : rungIndexOf(model, loadConfig, machine.hasGpu);
        const rung = model === undefined ? undefined : rungsOf(model)[index];
        const demand =
          rung === undefined ? machine.demandOfForeign(modelKey) : machine.demandOf(rung);
        const footprint = demand === null ? null : footprintOf(demand, resources);
        return Promise.resolve({ footprint, guardrails: null });
      },
    },
    catalog: { read: () => Promise.resolve(catalog) },
    clock: machine.clock,
    runtimeIsLocal: true,
  };
}
