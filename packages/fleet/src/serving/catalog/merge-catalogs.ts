import { TIERS } from '@mai/memory-ledger';
import type { HostModel } from '../../state/host-state.js';
import type { KnownHost } from '../../state/known-host.js';
import { nameOfInstance } from './instance-names.js';
import type { ServingCatalog, ServingModel } from '../serving-port.js';

/**
 * The catalog of a fleet: the models of this machine, then those that only others have. Residents of others carry the
 * name of their host. A chain of this machine gets the models of the other hosts' chain of the same name.
 *
 * @param chainsThatMayLeave - the chains whose requests other hosts may answer; null: all
 */
function mergeCatalogs(
  local: ServingCatalog,
  ownHost: string,
  others: readonly KnownHost[],
  chainsThatMayLeave: readonly string[] | null,
): ServingCatalog {
  const models = new Map<string, ServingModel>(
    local.models.map((model) => [
      model.modelKey,
      {
        ...model,
        hosts: model.downloaded || model.residents.length > 0 ? [ownHost] : [],
        residents: model.residents.map((resident) => ({ ...resident, host: ownHost })),
      },
    ]),
  );
  for (const { state } of others) {
    for (const model of state.models) {
      models.set(model.modelKey, withHost(models.get(model.modelKey) ?? null, model, state.host));
    }
  }
  const mayLeave = (chain: string): boolean => chainsThatMayLeave?.includes(chain) ?? true;
  // A map, because another host may have a chain with the name of a property of every object.
  const chains = new Map(Object.entries(local.chains));
  for (const { state } of others) {
    for (const [name, keys] of Object.entries(state.chains)) {
      const own = chains.get(name);
      if (own !== undefined && mayLeave(name)) chains.set(name, mergeChains(own, keys, models));
    }
  }
  return {
    ...local,
    models: [...models.values()],
    chains: Object.fromEntries(chains),
    hosts: [ownHost, ...others.map(({ state }) => state.host)],
  };
}

/** `mergeCatalogs` for one machine. Each request needs the result, so the last one is kept as long as its inputs are the same. */
export function createCatalogMerge(
  ownHost: string,
): (
  local: ServingCatalog,
  others: readonly KnownHost[],
  chainsThatMayLeave: readonly string[] | null,
) => ServingCatalog {
  let last: { readonly inputs: readonly unknown[]; readonly merged: ServingCatalog } | null = null;
  return (local, others, chainsThatMayLeave) => {
    // A state is replaced and never changed.
    const inputs = [local, chainsThatMayLeave, ...others.map(({ state }) => state)];
    const isSame =
      last?.inputs.length === inputs.length && inputs.every((one, i) => one === last?.inputs[i]);
    if (!isSame || last === null) {
      last = { inputs, merged: mergeCatalogs(local, ownHost, others, chainsThatMayLeave) };
    }
    return last.merged;
  };
}

function withHost(known: ServingModel | null, model: HostModel, host: string): ServingModel {
  const { modelKey, displayName, kind, tier, capabilities } = model;
  const residents = model.residents.map(({ instanceIdentifier, contextLengthTokens, foreign }) => ({
    instanceIdentifier: nameOfInstance({ host, instanceIdentifier }),
    contextLengthTokens,
    foreign,
    host,
  }));
  return {
    ...(known ?? { modelKey, displayName, kind, tier, capabilities }),
    contextLengthTokens: larger(known?.contextLengthTokens, model.contextLengthTokens),
    maxContextLengthTokens: larger(known?.maxContextLengthTokens, model.maxContextLengthTokens),
    sizeBytes: known?.sizeBytes ?? model.sizeBytes,
    downloaded: true,
    hosts: [...(known?.hosts ?? []), host],
    residents: [...(known?.residents ?? []), ...residents],
  };
}

function larger(one: number | null | undefined, other: number | null): number | null {
  if (one == null || other === null) return one ?? other;
  return Math.max(one, other);
}

/**
 * Adds the models that only `others` has, each before the first model of `own` that is weaker: of a smaller tier, or
 * smaller on disk. So the order of this machine stays.
 */
function mergeChains(
  own: readonly string[],
  others: readonly string[],
  models: ReadonlyMap<string, ServingModel>,
): readonly string[] {
  const merged = [...own];
  for (const key of others) {
    const model = models.get(key);
    if (model === undefined || merged.includes(key)) continue;
    const at = merged.findIndex((one) => {
      const other = models.get(one);
      return other !== undefined && isWeaker(other, model);
    });
    merged.splice(at === -1 ? merged.length : at, 0, key);
  }
  return merged;
}

function isWeaker(one: ServingModel, other: ServingModel): boolean {
  const rank = ({ tier }: ServingModel): number => TIERS.indexOf(tier);
  if (rank(one) !== rank(other)) return rank(one) < rank(other);
  return (one.sizeBytes ?? 0) < (other.sizeBytes ?? 0);
}
