import { LOAD_CONFIG_FIELDS, type LoadConfig } from '@mai/memory-ledger';
import type { ResidentInstance } from '../models/model-types.js';
import type { LoadMismatch, NormalizedLoad } from './load-types.js';
import { isSameModel, type Target } from './resolve-target.js';

/** The only settings that SDK 2.0.0 passes on for embedding models. It drops all other settings without an error. */
const EMBEDDING_FIELDS: ReadonlySet<keyof LoadConfig> = new Set(['contextLengthTokens']);

/**
 * The settings in which an instance differs from the request. Checked after every load, because LM
 * Studio may change the context length without an error. A setting that LM Studio does not report
 * counts as equal, unless the SDK is known to drop it.
 */
export function verifyLoad(
  asked: NormalizedLoad,
  instance: ResidentInstance,
): readonly LoadMismatch[] {
  const mismatches: LoadMismatch[] = [];
  const compare = (
    field: LoadMismatch['field'],
    wanted: LoadMismatch['asked'],
    got: LoadMismatch['got'],
    dropped = false,
  ): void => {
    if (wanted === null || (got === null && !dropped)) return;
    if (!sameValue(wanted, got)) mismatches.push({ field, asked: wanted, got });
  };
  compare('identifier', asked.identifier, instance.instanceIdentifier);
  for (const field of LOAD_CONFIG_FIELDS) {
    const dropped = instance.kind === 'embedding' && !EMBEDDING_FIELDS.has(field);
    compare(field, asked.loadConfig[field], dropped ? null : instance.loadConfig[field], dropped);
  }
  compare('keepModelInMemory', asked.keepModelInMemory, instance.keepModelInMemory);
  compare('ttlMs', asked.ttlMs, instance.ttlMs);
  return mismatches;
}

/**
 * Whether a resident serves a request: the same model with the same settings and enough context.
 * Loading again would then only make a second copy.
 */
export function satisfies(
  asked: NormalizedLoad,
  target: Target,
  resident: ResidentInstance,
): boolean {
  return (
    isSameModel(target, resident) &&
    verifyLoad(asked, resident).every(
      ({ field, asked: wanted, got }) =>
        field === 'ttlMs' ||
        (field === 'identifier' && asked.reuse) ||
        (field === 'contextLengthTokens' && isAtLeast(got, wanted)),
    )
  );
}

function isAtLeast(got: LoadMismatch['got'], wanted: LoadMismatch['asked']): boolean {
  return typeof got === 'number' && typeof wanted === 'number' && got >= wanted;
}

/** Numbers within a millionth are equal, because LM Studio turns ratios into layer counts and back. */
function sameValue(wanted: LoadMismatch['asked'], got: LoadMismatch['got']): boolean {
  return typeof wanted === 'number' && typeof got === 'number'
    ? Math.abs(wanted - got) < 1e-6
    : wanted === got;
}
