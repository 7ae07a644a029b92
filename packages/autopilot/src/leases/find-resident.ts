import type { Resident } from '@mai/selector';
import { loadConfigOf } from '../instances/instance-state.js';
import type { CandidateProfile, CatalogReading } from '../ports/catalog-port.js';
import type { LeaseRequest, LeaseTarget } from '../request/lease-request.js';
import type { ObservedResidents } from './lease.js';
import { meetsRequirement, profileOf } from './target-catalog.js';

/** A resident that meets a request, with the facts about its model. */
export interface FoundResident {
  readonly resident: Resident;
  readonly facts: CandidateProfile;
  readonly contextLengthTokens: number | null;
}

/**
 * The resident that a request gets. Where several meet the request, it is the one whose model comes first in
 * the chain. Null where no resident meets it.
 *
 * @param offered - whether a resident may be leased to the request.
 */
export function findResident(
  { residents, instances }: ObservedResidents,
  reading: CatalogReading,
  request: LeaseRequest,
  offered: (resident: Resident) => boolean,
): FoundResident | null {
  const contextOf = ({ instanceIdentifier }: Resident): number | null => {
    const instance = instances.find((one) => one.instanceIdentifier === instanceIdentifier);
    return instance === undefined ? null : loadConfigOf(instance).contextLengthTokens;
  };
  const usable = residents.flatMap((resident) => {
    if (!offered(resident)) return [];
    const { modelKey } = resident;
    const facts = profileOf(reading, modelKey);
    const contextLengthTokens = contextOf(resident);
    return facts !== null && meetsRequirement(facts, contextLengthTokens, request)
      ? [{ resident, facts, contextLengthTokens, position: positionIn(reading, modelKey) }]
      : [];
  });
  return usable.sort((one, other) => one.position - other.position)[0] ?? null;
}

/**
 * Whether a target may get a resident before a decision. Foreign residents serve only the callers that name
 * them or their model.
 */
export function isOffered(
  { foreign, modelKey, instanceIdentifier }: Resident,
  target: LeaseTarget,
): boolean {
  if (target.instanceIdentifier !== null) return instanceIdentifier === target.instanceIdentifier;
  return target.modelKey === null ? !foreign : modelKey === target.modelKey;
}

function positionIn({ chain }: CatalogReading, modelKey: string): number {
  const index = chain.findIndex((one) => one.modelKey === modelKey);
  return index === -1 ? chain.length : index;
}
