import { buildLoadSteps } from '@mai/autopilot';
import { isSameLoadConfig, type LoadConfig } from '@mai/memory-ledger';
import { NO_REQUIREMENT } from '@mai/selector';
import type { SimulatedModel } from './simulated-model.js';

type Configs = readonly LoadConfig[];

/** Cached for each model, because a simulation needs the load configurations at every step. */
const known = new WeakMap<SimulatedModel, Map<boolean, Configs>>();

/**
 * The load configurations that the autopilot tries for a model. The configured load configuration is the first.
 */
function configsOf(model: SimulatedModel, hasDedicatedGpu: boolean): Configs {
  const byGpu = known.get(model) ?? new Map<boolean, Configs>();
  known.set(model, byGpu);
  const configs =
    byGpu.get(hasDedicatedGpu) ??
    buildLoadSteps(model.profile, NO_REQUIREMENT, hasDedicatedGpu).map((one) => one.loadConfig);
  byGpu.set(hasDedicatedGpu, configs);
  return configs;
}

/** The index of the load option with this configuration; -1 where the size of the option is not known. */
export function loadOptionIndexOf(
  model: SimulatedModel,
  loadConfig: LoadConfig,
  hasDedicatedGpu: boolean,
): number {
  const index = configsOf(model, hasDedicatedGpu).findIndex((one) =>
    isSameLoadConfig(one, loadConfig),
  );
  return index <= model.cheaperLoadOptions.length ? index : -1;
}

/** The load configuration of a load option. */
export function configOfLoadOption(
  model: SimulatedModel,
  index: number,
  hasDedicatedGpu: boolean,
): LoadConfig {
  const configs = configsOf(model, hasDedicatedGpu);
  return configs[Math.min(index, configs.length - 1)] ?? model.profile.loadConfig;
}
