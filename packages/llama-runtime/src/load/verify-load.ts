import { LOAD_CONFIG_FIELDS } from '@mai/memory-ledger';
import type { LoadMismatch, NormalizedLoad } from './load-types.js';
import type { ResidentInstance } from '../residents/resident-types.js';

/** The settings in which an instance differs from the request. A setting that was not requested counts as equal. */
export function verifyLoad(
  asked: NormalizedLoad,
  instance: ResidentInstance,
): readonly LoadMismatch[] {
  const mismatches: LoadMismatch[] = [];
  const compare = (
    field: LoadMismatch['field'],
    wanted: LoadMismatch['asked'],
    got: LoadMismatch['got'],
  ): void => {
    if (wanted === null || got === null) return;
    if (wanted !== got) mismatches.push({ field, asked: wanted, got });
  };
  compare('identifier', asked.identifier, instance.instanceIdentifier);
  for (const field of LOAD_CONFIG_FIELDS) {
    compare(field, asked.loadConfig[field], instance.loadConfig[field]);
  }
  compare('keepModelInMemory', asked.keepModelInMemory, instance.keepModelInMemory);
  // An instance without a time (`null`) is never unloaded for being idle, so it differs from every time that is asked for.
  if (asked.ttlMs !== null && asked.ttlMs !== instance.ttlMs) {
    mismatches.push({ field: 'ttlMs', asked: asked.ttlMs, got: instance.ttlMs });
  }
  return mismatches;
}

/**
 * Whether a resident serves a request: the same model with the same settings and enough context. The model's maximum
 * is enough. Without a GPU, another copy would have no layers on a GPU either.
 */
export function satisfies(
  asked: NormalizedLoad,
  resident: ResidentInstance,
  hasGpu: boolean,
): boolean {
  return (
    resident.modelKey === asked.modelKey &&
    verifyLoad(asked, resident).every(
      ({ field, asked: wanted, got }) =>
        field === 'ttlMs' ||
        (field === 'identifier' && asked.reuse) ||
        (field === 'offloadRatio' && !hasGpu) ||
        (field === 'contextLengthTokens' &&
          typeof got === 'number' &&
          typeof wanted === 'number' &&
          got >= Math.min(wanted, resident.maxContextLengthTokens ?? Infinity)),
    )
  );
}
