import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import { didYouMean } from '@mai/model-config';

/** The error for a name that is neither an instance identifier nor a loaded model. */
export function notLoaded(wanted: string, residents: readonly ResidentInstance[]): LMStudioError {
  const names = residents.flatMap(({ instanceIdentifier, modelKey }) => [
    instanceIdentifier,
    modelKey,
  ]);
  const guess = didYouMean(wanted, names);
  const next =
    residents.length === 0
      ? 'Nothing is loaded.'
      : guess === null
        ? `Loaded: ${identifiersOf(residents)}.`
        : `Did you mean ${guess}?`;
  return new LMStudioError('INSTANCE_NOT_FOUND', `${wanted} is not loaded. ${next}`, {
    instanceIdentifier: wanted,
    suggestions: guess === null ? [] : [guess],
  });
}

/** @throws LMStudioError `LOAD_REFUSED` where an unload would cut off a request or break a lease */
export function refuseBusy(targets: readonly ResidentInstance[], leased: readonly string[]): void {
  const generating = targets.filter(
    ({ activity, queued }) => (activity !== null && activity !== 'idle') || (queued ?? 0) > 0,
  );
  if (generating.length > 0) {
    throw new LMStudioError(
      'LOAD_REFUSED',
      `${identifiersOf(generating)} is generating. Unloading now would cut off the request. Try again when it is idle, or force the unload.`,
    );
  }
  const inUse = targets.filter((one) => leased.includes(one.instanceIdentifier));
  if (inUse.length > 0) {
    throw new LMStudioError(
      'LOAD_REFUSED',
      `${identifiersOf(inUse)} is leased by a program that still needs it. Try again when that program has ended, or force the unload.`,
    );
  }
}

/** The instance identifiers, separated by commas. */
export function identifiersOf(residents: readonly ResidentInstance[]): string {
  return residents.map(({ instanceIdentifier }) => instanceIdentifier).join(', ');
}
