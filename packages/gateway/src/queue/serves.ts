import type { ServingCatalog, ServingLease, ServingRequest } from '../ports/serving-port.js';

/** A resident, with the properties that decide which requests it serves. */
export type Resident = Pick<
  ServingLease,
  'modelKey' | 'instanceIdentifier' | 'tier' | 'capabilities' | 'contextLengthTokens'
>;

/** The chain that a request means; null where it names a model or a resident. */
export function chainOf(
  { chain, modelKey, instanceIdentifier }: ServingRequest,
  catalog: ServingCatalog,
): readonly string[] | null {
  if (modelKey !== null || instanceIdentifier !== null) return null;
  return catalog.chains[chain ?? 'default'] ?? [];
}

/**
 * Whether a resident meets a request, by the rules of the machine. `failed` is ignored. In two cases the answer is no,
 * although the machine may decide otherwise: for a resident that Mai did not load if the request means a chain, and for an
 * unknown context length if the request needs a minimum.
 */
export function serves(
  resident: Resident,
  wanted: ServingRequest,
  catalog: ServingCatalog,
): boolean {
  const { modelKey, instanceIdentifier, tier, capabilities, contextLengthTokens } = resident;
  if (wanted.instanceIdentifier !== null && wanted.instanceIdentifier !== instanceIdentifier)
    return false;
  if (wanted.modelKey !== null && wanted.modelKey !== modelKey) return false;
  const chain = chainOf(wanted, catalog);
  if (chain !== null && (!chain.includes(modelKey) || isForeign(resident, catalog))) return false;
  if (wanted.tiers !== null && !wanted.tiers.includes(tier)) return false;
  if (!wanted.capabilities.every((one) => capabilities.includes(one))) return false;
  const needed = wanted.minContextLengthTokens;
  return needed === null || (contextLengthTokens !== null && contextLengthTokens >= needed);
}

/** The residents of the catalog that meet a request. */
export function residentsThatServe(
  wanted: ServingRequest,
  catalog: ServingCatalog,
): readonly Resident[] {
  return catalog.models
    .flatMap((model) => model.residents.map((resident) => ({ ...model, ...resident })))
    .filter((resident) => serves(resident, wanted, catalog));
}

/** Place of a model in the order of preference of a request: 0 is the most preferred. */
export function preferenceRank(
  modelKey: string,
  wanted: ServingRequest,
  catalog: ServingCatalog,
): number {
  const rank = chainOf(wanted, catalog)?.indexOf(modelKey) ?? 0;
  return rank === -1 ? Number.MAX_SAFE_INTEGER : rank;
}

function isForeign({ modelKey, instanceIdentifier }: Resident, catalog: ServingCatalog): boolean {
  const model = catalog.models.find((one) => one.modelKey === modelKey);
  const found = model?.residents.find((one) => one.instanceIdentifier === instanceIdentifier);
  return found?.foreign ?? false;
}
