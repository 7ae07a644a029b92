import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { refersTo } from '@mai/memory-ledger';
import { HostError } from '../host-error.js';
import { identifiersOf, notLoaded } from '../autopilot/unload-refusals.js';

/**
 * The instance with this identifier, or else the instances of the model or variant with this key. With `all`,
 * the name is first tried as a model key, then as an identifier.
 *
 * @throws HostError `INVALID_REQUEST` where several instances match without `all`; LMStudioError
 *   `INSTANCE_NOT_FOUND`
 */
export function findInstances(
  wanted: string,
  residents: readonly ResidentInstance[],
  all: boolean,
): readonly ResidentInstance[] {
  const named = residents.filter(({ instanceIdentifier }) => instanceIdentifier === wanted);
  const ofModel = residents.filter((resident) => refersTo(wanted, resident));
  if (all && ofModel.length > 0) return ofModel;
  if (named.length > 0) return named;
  if (ofModel.length > 1) {
    throw new HostError(
      'INVALID_REQUEST',
      `${ofModel.length} instances of ${wanted} are loaded: ${identifiersOf(ofModel)}. Name one of them, or add --all.`,
    );
  }
  if (ofModel.length === 1) return ofModel;
  throw notLoaded(wanted, residents);
}
