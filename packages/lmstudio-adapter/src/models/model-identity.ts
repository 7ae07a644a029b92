import { baseKeyOf } from '@mai/memory-ledger';
import type { RawModelInfo } from '../wire/wire.js';
import type { ResidentInstance } from './model-types.js';

/** Model keys and selected variants, by the keys of all variants. */
export type KnownVariants = ReadonlyMap<
  string,
  { readonly modelKey: string; readonly selected: string | null }
>;

/**
 * The model key and the variant of an instance. LM Studio may report the key of the model or the
 * key of the variant. The result has the key that loads this variant: the model's key for the
 * selected variant, else the variant's key. Where it is not known which variant is selected, the result has the
 * variant's key.
 */
export function identify(
  raw: RawModelInfo,
  knownVariants: KnownVariants,
): Pick<ResidentInstance, 'modelKey' | 'variant'> {
  const variant = variantKeyOf(raw, knownVariants);
  if (variant === null) return { modelKey: raw.modelKey, variant };
  const known = knownVariants.get(variant);
  const isSelected = known !== undefined && (known.selected ?? variant) === variant;
  return { modelKey: isSelected ? known.modelKey : variant, variant };
}

/** The key of an instance's variant; `null` for a model without variants. */
export function variantKeyOf(raw: RawModelInfo, knownVariants: KnownVariants): string | null {
  return isVariantKey(raw, knownVariants) ? raw.modelKey : raw.selectedVariant;
}

/**
 * Whether the instance reports the key of a variant. A key with `@` can also name one of several
 * files in a folder. The path of such a model differs from its key.
 */
function isVariantKey(raw: RawModelInfo, knownVariants: KnownVariants): boolean {
  const { modelKey, selectedVariant, variants, path } = raw;
  const baseKey = baseKeyOf(modelKey);
  if (baseKey === modelKey) return false;
  return (
    knownVariants.has(modelKey) ||
    selectedVariant === modelKey ||
    variants.includes(modelKey) ||
    path === baseKey ||
    path === modelKey
  );
}

/**
 * Path of a model's file or folder below the models folder; `null` where the entry has no path. For
 * a model of LM Studio's hub, `path` is the model key. The path is then in `indexedModelIdentifier`
 * of the model's variants, after `KEY@`.
 */
export function filePathOf(raw: RawModelInfo): string | null {
  const { path, indexedModelIdentifier } = raw;
  const baseKey = baseKeyOf(raw.modelKey);
  const prefix = `${baseKey}@`;
  if (indexedModelIdentifier?.startsWith(prefix) === true) {
    const file = indexedModelIdentifier.slice(prefix.length);
    // Without a folder the rest is the name of a variant, e.g. `q8_0`.
    if (file.includes('/')) return file;
  }
  return path === raw.modelKey || path === baseKey || path?.startsWith(prefix) === true
    ? null
    : path;
}
