import type { LoadConfig, ResidentInstance } from '../models/model-types.js';
import type { LoadMismatch, NormalizedLoad } from './load-types.js';

const CONFIG_FIELDS: readonly (keyof LoadConfig)[] = [
  'contextLengthTokens',
  'parallelSequences',
  'offloadRatio',
  'kvCacheTypeK',
  'kvCacheTypeV',
  'flashAttention',
  'cpuExpertRatio',
];

/** Settings that SDK 2.0.0 passes on for embedding models; it drops the others silently. */
const EMBEDDING_FIELDS: ReadonlySet<keyof LoadConfig> = new Set(['contextLengthTokens']);

/**
 * Compares an instance with what was asked for. LM Studio refits the context length silently, so a
 * load that succeeded is not yet what was wanted. A setting that LM Studio does not report is not
 * called a mismatch, unless it is known to have been dropped.
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
  for (const field of CONFIG_FIELDS) {
    const dropped = instance.kind === 'embedding' && !EMBEDDING_FIELDS.has(field);
    compare(field, asked.loadConfig[field], dropped ? null : instance.loadConfig[field], dropped);
  }
  compare('keepModelInMemory', asked.keepModelInMemory, instance.keepModelInMemory);
  compare('ttlMs', asked.ttlMs, instance.ttlMs);
  return mismatches;
}

/** Whether a resident is what a request would load, so that loading would only make a copy. */
export function satisfies(asked: NormalizedLoad, resident: ResidentInstance): boolean {
  const sameDevice =
    asked.deviceIdentifier === undefined || asked.deviceIdentifier === resident.deviceIdentifier;
  return (
    resident.modelKey === asked.modelKey &&
    sameDevice &&
    verifyLoad(asked, resident).every(
      ({ field }) => field === 'ttlMs' || (field === 'identifier' && !asked.named),
    )
  );
}

/** Ratios come back through LM Studio's layer counts and JSON. */
function sameValue(wanted: LoadMismatch['asked'], got: LoadMismatch['got']): boolean {
  return typeof wanted === 'number' && typeof got === 'number'
    ? Math.abs(wanted - got) < 1e-6
    : wanted === got;
}
