import { isCallFault } from '../wire/call-fault.js';
import type { Connection } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import type { RawModelInfo } from '../wire/wire.js';
import { variantKeyOf } from './model-identity.js';

/**
 * Remembers the variants in a listing of the downloaded models. A variant that is no longer listed was deleted. Its
 * instances may still be loaded, and its key then names only itself.
 */
export function rememberVariants(
  { variants: known }: Pick<Connection, 'variants'>,
  models: readonly Pick<RawModelInfo, 'modelKey' | 'variants' | 'selectedVariant'>[],
): void {
  for (const variant of known.keys()) known.set(variant, standingAlone(variant));
  for (const { modelKey, variants, selectedVariant: selected } of models) {
    for (const variant of variants) known.set(variant, { modelKey, selected });
  }
}

/**
 * Makes the variants of these instances known. Lists the downloaded models where an instance has a variant that no
 * listing has named yet, because two variants of one model must not get the same key.
 */
export async function learnVariants(
  connection: Connection,
  instances: readonly RawModelInfo[],
  deadline: Deadline,
): Promise<void> {
  const unknown = (): readonly string[] =>
    instances.flatMap((raw) => {
      const variant = variantKeyOf(raw, connection.variants);
      return variant === null || connection.variants.has(variant) ? [] : [variant];
    });
  if (unknown().length === 0) return;
  try {
    const listed = await connection.pool.readIfAvailable(
      deadline.optionalSpec('system', 'listDownloadedModels'),
      (wire) => wire.listDownloadedModels(),
    );
    if (listed === null) return;
    rememberVariants(connection, listed.value.models);
  } catch (error) {
    // The instances are known without the downloaded models. The next listing asks again.
    if (isCallFault(error, 'answered', 'timed-out')) return;
    throw error;
  }
  for (const variant of unknown()) connection.variants.set(variant, standingAlone(variant));
}

/** A variant of a model that is not downloaded. */
const standingAlone = (variant: string) => ({ modelKey: variant, selected: null });
